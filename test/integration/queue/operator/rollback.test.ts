import { expect, test } from 'vitest';

import { LeasesRunningError } from '../../../../src/queue/leases/leases-run.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { expectNoLeftovers } from '../../../support/program/leftovers.js';
import { places, QUEUE } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useOperator } from '../queues.js';

expectNoLeftovers();
const redis = useRedis();
const CONSUMERS = `{${QUEUE}}:consumers`;
const RETRY = `{${QUEUE}}:retry`;

const onQueue = useOperator(redis);

/** Claims as a worker makes them: the oldest at the right end. With a negative lease others have recovered the worker. */
async function claims(consumer: string, leaseMs: number, ...messages: string[]): Promise<void> {
  const now = systemClock.wallNow();
  await redis.client.zadd(CONSUMERS, leaseMs < 0 ? -now : now + leaseMs, consumer);
  await redis.client.lpush(`{${QUEUE}}:processing:${consumer}`, ...messages);
}

test('claims go to the right end, retries to the left, both in order; a second run moves nothing', async () => {
  await redis.client.lpush(QUEUE, 'w1', 'w2');
  await claims('dead@host/0.1.a', -1, 'c1', 'c2', 'c3');
  await redis.client.zadd(RETRY, 2, '0123456789ab2 id:r2:with:colons', 1, '0123456789ab1 id 30000:r1');
  await onQueue(async ({ rollback }) => {
    expect(await rollback.pending()).toEqual({ claims: 3, retries: 2 });
    expect(await rollback.run({ force: false })).toEqual({ claims: 3, retries: 2 });
    expect(await rollback.run({ force: false })).toEqual({ claims: 0, retries: 0 });
  });
  expect(await places(redis.client)).toEqual({
    waiting: ['r2:with:colons', 'r1', 'w2', 'w1', 'c3', 'c2', 'c1'],
    processing: [],
    retry: [],
    dead: [],
  });
});

/** However far back the clock of Redis says that its lease has ended. */
test.each([60_000, 0, -3.2e11])(
  'while a lease is renewed nothing is touched, unless forced: %i ms',
  async (leaseMs) => {
    await claims('living@host/0.2.b', 0, 'c1');
    await redis.client.zadd(CONSUMERS, systemClock.wallNow() + leaseMs, 'living@host/0.2.b');
    await redis.client.zadd(RETRY, 1, '0123456789ab1 id 30000:r1');
    await onQueue(async ({ rollback }) => {
      const onWatch = () => void redis.client.zincrby(CONSUMERS, 1, 'living@host/0.2.b');
      await expect(rollback.run({ force: false, onWatch })).rejects.toThrow(LeasesRunningError);
      expect(await places(redis.client)).toMatchObject({ waiting: [], processing: ['c1'], retry: ['r1'] });
      expect(await rollback.run({ force: true })).toEqual({ claims: 1, retries: 1 });
    });
    expect(Number(await redis.client.zscore(CONSUMERS, 'living@host/0.2.b'))).toBeLessThan(0);
  },
);

test('a lease that nobody renews is over after 13 s, however far ahead the clock of Redis was when it was taken', async () => {
  await claims('dead@host/0.1.a', 3.2e11, 'c1');
  const left: number[] = [];
  const startedAt = systemClock.now();
  const onWatch = (ms: number) => void left.push(ms);
  expect(await onQueue(({ rollback }) => rollback.run({ force: false, onWatch }))).toEqual({ claims: 1, retries: 0 });
  expect(systemClock.now() - startedAt).toBeGreaterThanOrEqual(13_000);
  expect(left.length).toBeGreaterThan(5);
  expect(await redis.client.lrange(QUEUE, 0, -1)).toEqual(['c1']);
});

test('one that is renewed after the last look keeps what it holds', async () => {
  await claims('living@host/0.2.b', -1, 'c1', 'c2');
  await redis.client.zadd(RETRY, 1, '0123456789ab1 id 30000:r1');
  // it wakes up while the retries are moved
  const onProgress = () => void redis.client.zadd(CONSUMERS, systemClock.wallNow(), 'living@host/0.2.b');
  await expect(onQueue(({ rollback }) => rollback.run({ force: false, onProgress }))).rejects.toThrow(
    LeasesRunningError,
  );
  expect(await places(redis.client)).toMatchObject({ waiting: ['r1'], processing: ['c2', 'c1'] });
});

test('a run that is cut off midway and repeated loses nothing and keeps the order', async () => {
  const many = Array.from({ length: 350 }, (_, at) => `c${at}`);
  await claims('dead@host/0.1.a', -1, ...many);
  await redis.client.zadd(RETRY, ...Array.from({ length: 350 }, (_, at) => [at, `0123456789ab${at} id:r${at}`]).flat());
  const steps: string[] = [];
  await onQueue(async ({ rollback }) => {
    for (const kind of ['retries', 'claims'] as const) {
      const cut = rollback.run({
        force: false,
        onProgress: (progress) => {
          steps.push(kind);
          if (progress[kind] > 0) throw new Error('cut off');
        },
      });
      await expect(cut).rejects.toThrow('cut off');
    }
    await rollback.run({ force: false });
  });
  const { waiting, processing, retry } = await places(redis.client);
  expect({ processing, retry }).toEqual({ processing: [], retry: [] });
  expect(waiting.toReversed()).toEqual([...many, ...many.map((_, at) => `r${at}`)]);
});

test('a queue that is no list costs nothing', async () => {
  await claims('dead@host/0.1.a', -1, 'c1');
  await redis.client.set(QUEUE, 'a string');
  await expect(onQueue(({ rollback }) => rollback.run({ force: false }))).rejects.toThrow(/WRONGTYPE/);
  expect((await places(redis.client).catch(() => undefined))?.processing ?? ['c1']).toEqual(['c1']);
});

test('a processing list that is no list is named, and the others are given back', async () => {
  await claims('dead@host/0.1.a', -1, 'c1');
  await claims('dead@host/0.1.c', -1, 'c3');
  await redis.client.zadd(CONSUMERS, -1, 'dead@host/0.1.b');
  await redis.client.set(`{${QUEUE}}:processing:dead@host/0.1.b`, 'a string');
  await onQueue(async ({ rollback }) => {
    expect(await rollback.pending()).toEqual({ claims: 2, retries: 0 });
    await expect(rollback.run({ force: false })).rejects.toThrow(
      `{${QUEUE}}:processing:dead@host/0.1.b in Redis is no list`,
    );
  });
  expect((await redis.client.lrange(QUEUE, 0, -1)).sort()).toEqual(['c1', 'c3']);
});

test('large claims and retries are given back in several steps', async () => {
  await claims('dead@host/0.1.a', -1, ...Array.from({ length: 4 }, (_, n) => `${n}`.repeat(700_000)));
  for (let n = 0; n < 4; n += 1)
    await redis.client.zadd(RETRY, n, `0123456789ab${n} id 1000:${`${n}`.repeat(700_000)}`);
  const steps: unknown[] = [];
  await onQueue(({ rollback }) => rollback.run({ force: false, onProgress: (progress) => steps.push(progress) }));
  expect(steps).toEqual([
    { claims: 0, retries: 2 },
    { claims: 0, retries: 4 },
    { claims: 2, retries: 4 },
    { claims: 4, retries: 4 },
  ]);
});
