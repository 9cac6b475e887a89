/** What Redis refused beside burials that stand. */
export interface SkippedWrites {
  /** Letters that lie in the list of earlier versions, since the index or the letters take none. */
  readonly letters: number;
  /** Burials of which the main server will not be told. */
  readonly tellings: number;
  /** What Redis said last, with command and key. */
  readonly reason: string;
}

/** The line for the operator. */
export function skippedText({ letters, tellings, reason }: SkippedWrites): string {
  const untold = tellings > 0 ? [`the main server is not told of ${tellings} burial(s)`] : [];
  const hidden = letters > 0 ? [`${letters} dead letter(s) lie where version 1 keeps them`] : [];
  return (
    `Redis refuses a part of what belongs to a burial: ${reason}. So ${[...untold, ...hidden].join(', and ')}; ` +
    'nothing is lost, and deliveries go on. "check" names what the user of Redis may not do (ACL SETUSER in ecosystem.md)'
  );
}
