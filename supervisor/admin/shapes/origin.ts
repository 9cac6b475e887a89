/** With these, and with the files of its folder, a command loads the configuration that the supervisor loads at a reload. */
export interface Origin {
  readonly schema_version: number;
  /** Its working directory. */
  readonly directory: string;
  /** Text by long flag without dashes. */
  readonly flags: Readonly<Record<string, string>>;
  /** The variables of its environment that mean something to it, secrets included. */
  readonly environment: Readonly<Record<string, string>>;
  /** As `--config` named it. */
  readonly config: string | null;
}
