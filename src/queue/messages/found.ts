/** Messages as a walk finds them, with what is needed to act on each. */
import type { Buffer } from 'node:buffer';
import type { FailedAttempt } from '../../domain/failures/failed-attempt.js';
import type { MessageFacts } from '../../domain/filter/facts.js';

export interface Found extends MessageFacts {
  /** As it lies in Redis; the beginning of it when it has more `bytes` than were asked for. */
  readonly raw: Buffer;
  readonly bytes: number;
  /** The last ones, the oldest first; empty also when nobody asked for them. */
  readonly failures: readonly FailedAttempt[];
}

export interface WaitingMessage extends Found {
  readonly place: 'waiting';
  /** From the left end of the queue when it was looked at: pushes since have moved it to the right. */
  readonly index: number;
  /** From the end at which messages are claimed: 1 = the next. */
  readonly number: number;
}

export interface ClaimedMessage extends Found {
  readonly place: 'in_flight';
  readonly consumer: string;
}

export interface RetryingMessage extends Found {
  readonly place: 'retry';
  /** What stands before the colon of its member (queue/retries.ts); `<head>:<raw>` is the member. */
  readonly head: Buffer;
  /** When it is due, as it stands in Redis: ms on Redis's clock. */
  readonly score: string;
  /** Until then, 0 or less = it is due. */
  readonly dueInMs: number;
  /** How long it waits in all; undefined = an earlier build scheduled it. */
  readonly intervalMs: number | undefined;
}

export type LivingMessage = WaitingMessage | ClaimedMessage | RetryingMessage;
