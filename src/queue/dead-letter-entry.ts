import type { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readDeadLetter, type StoredDeadLetter } from '../domain/dead-letter.js';
import { parseMessage, withAttemptCount } from '../domain/message.js';

/** One dead letter, as it lies in the list. */
export interface DeadLetterEntry {
  /** 1 = the newest at the time of the look; it changes when letters come and go. */
  readonly number: number;
  /** 12 hexadecimal digits of the envelope's SHA-1: stays the letter's for ever. */
  readonly key: string;
  /** Undefined when the message has none that can be read. */
  readonly messageId: string | undefined;
  /** Undefined when this is no envelope; `stored` shows what it is. */
  readonly letter: StoredDeadLetter | undefined;
  /** As it stands in the list. */
  readonly stored: Buffer;
}

/** `number`: 1 = the newest. */
export function entryOf(stored: Buffer, number: number): DeadLetterEntry {
  const letter = readDeadLetter(stored);
  const parsed = letter && parseMessage(letter.raw);
  return {
    number,
    key: createHash('sha1').update(stored).digest('hex').slice(0, 12),
    messageId: parsed?.ok ? parsed.message.id : undefined,
    letter,
    stored,
  };
}

/**
 * The message with its attempts counted from 0. What cannot be parsed has no count to put back: it is delivered as it is,
 * and dies again as long as nobody mends it.
 */
export function freshly(raw: Buffer): Buffer {
  const parsed = parseMessage(raw);
  return parsed.ok && parsed.message.attemptCount > 0 ? withAttemptCount(raw, 0) : raw;
}
