import type { Buffer } from 'node:buffer';
import { readDeadLetter, type StoredDeadLetter } from '../../domain/dead-letters/dead-letter.js';
import { readIndexLine, type IndexedLetter } from '../../domain/dead-letters/index-line.js';
import { parseMessage, withAttemptCount } from '../../domain/message.js';

/** Letters up to so many bytes are read whole. Of larger ones, which nobody lists by the dozen, the beginning is read. */
export const WHOLE_BYTES = 4_194_304;
export const BEGINNING_BYTES = 131_072;

/** One dead letter. */
export interface DeadLetterEntry extends IndexedLetter {
  /** As it stands in the index. */
  readonly line: string;
  /** 1 = the newest at the time of the look; it changes when letters come and go. */
  readonly place: number;
  /** Undefined when this is no envelope; `stored` shows what it is. */
  readonly letter: StoredDeadLetter | undefined;
  /** As it lies in Redis, or the beginning of it. */
  readonly stored: Buffer;
  /** Of the whole. */
  readonly storedBytes: number;
}

interface Found {
  readonly line: string;
  readonly place: number;
  readonly stored: Buffer;
  readonly storedBytes: number;
}

export function entryOf({ line, place, stored, storedBytes }: Found): DeadLetterEntry {
  return { ...readIndexLine(line), line, place, stored, storedBytes, letter: readDeadLetter(stored, storedBytes) };
}

/**
 * The message with its attempts counted from 0. What cannot be parsed has no count to put back: it is delivered as it is,
 * and dies again as long as nobody mends it.
 */
export function freshly(raw: Buffer, mostParsedBytes: number): Buffer {
  const parsed = parseMessage(raw, mostParsedBytes);
  return parsed.ok && parsed.message.attemptCount > 0 ? withAttemptCount(raw, 0) : raw;
}
