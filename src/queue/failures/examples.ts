import { indexWord } from '../../domain/dead-letters/index-line.js';
import { failureHours } from '../../domain/failures/hours.js';
import { isRedisRefusal } from '../../shared/errors.js';
import type { RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';

const forgetScript = redisScript('failures/forget');

/**
 * Takes a message out of the examples of what has failed in all hours up to that of `now`. What Redis refuses (a user who
 * may not, another type at the name of an hour) stays as it is. Rejects with RedisUnavailableError while Redis does not answer.
 */
export async function forgetExamples(
  connection: RedisConnection,
  keys: RedisKeys,
  messageId: string,
  now: number,
): Promise<void> {
  for (const hour of failureHours(now)) {
    try {
      await forgetScript.run(connection, [keys.failuresIn(hour)], [indexWord(messageId)]);
    } catch (error) {
      if (!connection.isReady() || !isRedisRefusal(error)) throw error;
    }
  }
}
