import { afterEach } from 'vitest';
import type { RedisQueue } from '../../../src/queue/claims/claims-and-settlements.js';
import type { Claim } from '../../../src/queue/message-queue.js';
import { openQueue, type QueueOptions } from '../../support/redis/queue.js';
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

export const texts = (claims: readonly Claim[]) => claims.map((claim) => claim.raw.toString());
