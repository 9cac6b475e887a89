import { indexWord } from '../../domain/dead-letters/index-line.js';
import { failureHours } from '../../domain/failures/hours.js';
import type { RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';

const forgetScript = redisScript('failures/forget');

/**
 * Takes a message out of the examples of what has failed in all hours up to that of `now`. A user of Redis who may not write
 * them leaves them as they are. Rejects with RedisUnavailableError while Redis does not answer.
 */
export async function forgetExamples(
  connection: RedisConnection,
  keys: RedisKeys,
  messageId: string,
  now: number,
): Promise<void> {
  for (const hour of failureHours(now)) {
    await forgetScript.run(connection, [keys.failuresIn(hour)], [indexWord(messageId)]);
  }
}
