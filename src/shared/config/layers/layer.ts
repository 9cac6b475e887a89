/** What the loader gathers on its way: sentences for the operator. Any problem in the end means no configuration. */
export interface Findings {
  readonly problems: string[];
  readonly warnings: string[];
}

/** The text given for a setting and where, as it begins a sentence: `REDIS_PORT (environment)`. */
export interface Given {
  readonly text: string;
  readonly where: string;
}

/** One source of settings: what it gives, by the setting's path. */
export type Layer = ReadonlyMap<string, Given>;

/** A value in a sentence: quoted, on one line, of bearable length. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
