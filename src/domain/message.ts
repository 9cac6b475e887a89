import type { Buffer } from 'node:buffer';

/** The three fields that are read; all others are carried through untouched. */
export interface Message {
  readonly id: string;
  /** Failed attempts so far; a missing or unusable value counts as 0. */
  readonly attemptCount: number;
  /** Milliseconds since the Unix epoch; undefined when missing or unreadable. */
  readonly queuedAtMs: number | undefined;
}

export type ParsedMessage =
  | { readonly ok: true; readonly message: Message }
  /** `problem` is a sentence for the dead letter's `error`, without anything from the message. */
  | { readonly ok: false; readonly problem: string };

export declare function parseMessage(raw: Buffer): ParsedMessage;
export declare function withAttemptCount(raw: Buffer, attemptCount: number): Buffer;
