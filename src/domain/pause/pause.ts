/**
 * A pause of all deliveries, as it stands in Redis: JSON with `id`, `who`, `where`, `why` and `until`. Pure.
 *
 * An operator may write it by hand. What cannot be read is a pause all the same: somebody wanted one.
 */
import { createHash } from 'node:crypto';
import type { PausedBy } from '../../shared/words/paused.js';
import { parseQueuedAt } from '../queued-at.js';

export interface Pause extends PausedBy {
  /** By which consumers confirm it; one that names none has one made of its text. */
  readonly id: string;
}

/** Times of this many digits are seconds: as milliseconds they were in 1973. */
const SECONDS_BELOW = 1e11;
/** The last that has an ISO form. */
const LATEST_MS = 8.64e15;
const ID_LENGTH = 200;

/** @param text the first few KB of what stands under the key. */
export function readPause(text: string): Pause {
  const fields = objectIn(text);
  const { id, who, where, why } = fields ?? {};
  return {
    id: wordIn(id) === '' || wordIn(id).length > ID_LENGTH ? idOf(text) : wordIn(id),
    who: wordIn(who),
    where: wordIn(where),
    why: fields ? wordIn(why) : 'what stands under the key cannot be read',
    untilMs: timeIn(fields?.['until']),
  };
}

function idOf(text: string): string {
  return `unnamed-${createHash('sha1').update(text).digest('hex').slice(0, 16)}`;
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function wordIn(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

/** ISO 8601 (UTC where it names no zone), or a number of seconds or milliseconds since the Unix epoch. */
function timeIn(value: unknown): number | undefined {
  const number = typeof value === 'number' ? (value < SECONDS_BELOW ? value * 1_000 : value) : parseQueuedAt(value);
  return number !== undefined && number > 0 && number <= LATEST_MS ? Math.ceil(number) : undefined;
}
