import { withOperatorQueue, type OperatorQueue } from '../../../src/queue/operator-queue.js';
import type { Config } from '../../../src/shared/config/config.js';
import { RedisUnavailableError, UnusableRedisError } from '../../../src/shared/errors.js';
import type { Clock } from '../../../src/shared/time/clock.js';
import { RequestError, type Answer } from '../route.js';

/** Answers with what `use` makes of the queue, over a connection of its own. Rejects with RequestError 503 or 507. */
export async function answerFromQueue<Body>(
  config: Config,
  clock: Clock,
  use: (queue: OperatorQueue) => Promise<Body>,
): Promise<Answer<Body>> {
  try {
    return { status: 200, body: await withOperatorQueue(config, clock, use) };
  } catch (error) {
    if (error instanceof RedisUnavailableError) throw new RequestError(503, error.message);
    if (error instanceof UnusableRedisError) throw new RequestError(507, error.message);
    throw error;
  }
}
