import type { Buffer } from 'node:buffer';
import { readFailureLines, type FailedAttempt } from '../../domain/failures/failed-attempt.js';
import { readCount, type CountedFailures } from '../../domain/failures/failure-group.js';
import { failureHours } from '../../domain/failures/hours.js';
import type { RedisConnection } from '../connection/connection.js';
import type { RedisKeys } from '../keys.js';

/**
 * The last failed attempts of messages that are neither delivered nor dead (of a dead one they stand in its letter): by id,
 * the oldest attempt first. An id without any has no entry; a user of Redis who may not read them learns of none.
 */
export async function readFailures(
  connection: RedisConnection,
  keys: RedisKeys,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly FailedAttempt[]>> {
  const found = new Map<string, readonly FailedAttempt[]>();
  if (ids.length === 0) return found;
  const values = (await connection.callPermitted([], 'HMGET', keys.failures, ...ids)) as (Buffer | null)[];
  for (const [at, id] of ids.entries()) {
    const value = values[at];
    if (value) found.set(id, readFailureLines(value.toString('utf8')));
  }
  return found;
}

/** What failed in the hours from that of `since` to that of `now`, both in ms since the Unix epoch. */
export async function readFailureCounts(
  connection: RedisConnection,
  keys: RedisKeys,
  { since, now }: { readonly since: number; readonly now: number },
): Promise<readonly CountedFailures[]> {
  const counts: CountedFailures[] = [];
  for (const hour of failureHours(now, since)) {
    const reply = (await connection.call('HGETALL', keys.failuresIn(hour))) as Buffer[];
    for (let at = 0; at < reply.length; at += 2) {
      const counted = readCount(String(reply[at]), String(reply[at + 1]));
      if (counted) counts.push(counted);
    }
  }
  return counts;
}
