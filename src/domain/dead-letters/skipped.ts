/** What Redis refused beside settlements that stand. */
export interface SkippedWrites {
  /** Letters that lie in the list of earlier versions, since the index or the letters take none. */
  readonly letters: number;
  /** Burials of which the main server will not be told. */
  readonly tellings: number;
  /** What Redis said last, with command and key; empty when it refused nothing of a burial. */
  readonly reason: string;
  /** Failed attempts that are not kept with their messages, and why. */
  readonly failures?: { readonly count: number; readonly reason: string };
}

/** The line for the operator, of a burial. */
export function skippedText({ letters, tellings, reason }: SkippedWrites): string {
  const untold = tellings > 0 ? [`the main server is not told of ${tellings} burial(s)`] : [];
  const hidden = letters > 0 ? [`${letters} dead letter(s) lie where version 1 keeps them`] : [];
  return (
    `Redis refuses a part of what belongs to a burial: ${reason}. So ${[...untold, ...hidden].join(', and ')}; ` +
    'nothing is lost, and deliveries go on. "check" names what the user of Redis may not do (ACL SETUSER in ecosystem.md)'
  );
}

/** Likewise, of failed attempts. */
export function leftOutText(reason: string): string {
  return (
    `Failed attempts are not kept with their messages: ${reason}. Messages are delivered and tried again as ever; ` +
    '"check" names what the user of Redis may not do (ACL SETUSER in ecosystem.md)'
  );
}
