import { afterEach } from 'vitest';
import type { RedisQueue } from '../../../src/queue/claims/claims-and-settlements.js';
import type { Claim } from '../../../src/queue/message-queue.js';
import { withOperatorQueue, type OperatorQueue } from '../../../src/queue/operator-queue.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { openQueue, queueConfig, redisConfig, type QueueOptions } from '../../support/redis/queue.js';
import type { TestRedis } from '../../support/redis/redis.js';

/** Opens queues, each of its own consumer, and closes them after each test. Call it at the top level of the file. */
export function useQueues(redis: TestRedis): (workerId?: string, options?: QueueOptions) => Promise<RedisQueue> {
  const open: RedisQueue[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((queue) => queue.stop()));
  });
  return async (workerId, options) => {
    const queue = await openQueue(redis.port, workerId, options);
    open.push(queue);
    return queue;
  };
}

/** The queue as a command of an operator uses it once. */
export function useOperator(
  redis: TestRedis,
): <T>(use: (queue: OperatorQueue) => Promise<T>, port?: number) => Promise<T> {
  return (use, port = redis.port) =>
    withOperatorQueue({ redis: redisConfig(port), queue: queueConfig() }, systemClock, use);
}

export const texts = (claims: readonly Claim[]) => claims.map((claim) => claim.raw.toString());
