import { expect, test } from 'vitest';
import type { Deed } from '../../../../src/domain/audit/deed.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import { withOperatorQueue, type OperatorQueue } from '../../../../src/queue/operator-queue.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { EARLIER_USER, permitAsVersion1 } from '../../../support/redis/earlier-user.js';
import { QUEUE, queueConfig, redisConfig } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';

const redis = useRedis();
const { audit: key } = redisKeys(QUEUE);
const SCALED: Deed = { action: 'scale', who: 'anna', where: 'web-1', detail: '1 → 2' };

const asOperator = <T>(use: (queue: OperatorQueue) => Promise<T>, user = {}): Promise<T> =>
  withOperatorQueue({ redis: redisConfig(redis.port, user), queue: queueConfig() }, systemClock, use);

test('what was done is listed, the newest first, over pages and within one millisecond', async () => {
  const pipeline = redis.client.pipeline();
  for (let at = 0; at < 2_500; at += 1) pipeline.xadd(key, `7-${at}`, 'action', 'x', 'count', at);
  await pipeline.exec();
  await asOperator(async ({ audit }) => {
    expect(await audit.note(SCALED)).toBeUndefined();
    const entries = await audit.list(10_000);
    expect(entries).toHaveLength(2_501);
    expect(entries[0]).toMatchObject(SCALED);
    expect(entries.slice(1).map(({ count }) => count)).toEqual(Array.from({ length: 2_500 }, (_, at) => 2_499 - at));
    expect(await audit.list(3)).toEqual(entries.slice(0, 3));
  });
});

test('it keeps about the last 10,000', async () => {
  await asOperator(async ({ audit }) => {
    for (let at = 0; at < 10_500; at += 500) {
      await Promise.all(Array.from({ length: 500 }, () => audit.note(SCALED)));
    }
    await Promise.all(Array.from({ length: 200 }, () => audit.note(SCALED)));
  });
  expect(await redis.client.xlen(key)).toBeLessThan(10_300);
  expect(await redis.client.xlen(key)).toBeGreaterThanOrEqual(10_000);
});

test('with the other side books it takes no more than REDIS_SIDE_BOOKS_MAX', async () => {
  const full = { redis: redisConfig(redis.port), queue: queueConfig({ sideBooksMaxBytes: 0 }) };
  expect(await withOperatorQueue(full, systemClock, ({ audit }) => audit.note(SCALED))).toMatch(/REDIS_SIDE_BOOKS_MAX/);
  expect(await redis.client.exists(key)).toBe(0);
});

test('what Redis refuses is said, and nothing is thrown: full, another type, a user of version 1', async () => {
  await redis.client.config('SET', 'maxmemory', '1');
  try {
    expect(await asOperator(({ audit }) => audit.note(SCALED))).toMatch(/OOM/);
  } finally {
    await redis.client.config('SET', 'maxmemory', '0');
  }
  await redis.client.set(key, 'x');
  expect(await asOperator(({ audit }) => audit.note(SCALED))).toMatch(/WRONGTYPE/);
  await redis.client.del(key);
  await permitAsVersion1(redis.client);
  expect(await asOperator(({ audit }) => audit.note(SCALED), EARLIER_USER)).toMatch(/NOPERM/);
});
