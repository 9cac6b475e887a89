import type { Buffer } from 'node:buffer';
import { scannedAttemptCount } from '../../domain/attempt-count.js';
import { cancelMarker, CANCELLED_ERROR } from '../../domain/cancelled.js';
import { deadLetter, readDeadLetter } from '../../domain/dead-letters/dead-letter.js';
import { indexLine } from '../../domain/dead-letters/index-line.js';
import { newUnique } from '../dead-letters/burial-line.js';

/** How a message leaves the queue or the retries by an operator's hand. */
export interface Removal {
  /** Empty = nothing is kept of it. */
  readonly envelope: Buffer | '';
  /** Its line of the index of the dead letters; empty when nothing is kept of it. */
  readonly line: string;
  /** What stands in its place in the queue. */
  readonly marker: string;
}

/** To the dead letters. */
export function cancelled(raw: Buffer, deadAt: number): Removal {
  const unique = newUnique();
  const envelope = deadLetter({
    raw,
    reason: 'cancelled',
    error: CANCELLED_ERROR,
    // not parsed: it may be of any size, and malformed
    attemptCount: scannedAttemptCount(raw),
    workerId: 'operator',
    deadAt,
  });
  return { envelope, line: indexLine(unique, readDeadLetter(envelope)), marker: cancelMarker(unique) };
}

/** Out of Redis. */
export function erased(): Removal {
  return { envelope: '', line: '', marker: cancelMarker(newUnique()) };
}
