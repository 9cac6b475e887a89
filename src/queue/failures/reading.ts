import type { Buffer } from 'node:buffer';
import { readFailureLines, type FailedAttempt } from '../../domain/failures/failed-attempt.js';
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
