/** What the code logs through. Lines are one sentence; text from messages is escaped by the logger. */
export interface Log {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}
