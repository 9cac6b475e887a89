/** What is said of the fleet in a real Redis: under which name, for how long, and what of it is refused. */
import { expect, test } from 'vitest';
import { FleetWatch } from '../../../../src/domain/fleet/fleet-watch.js';
import { presenceText, type Presence } from '../../../../src/domain/fleet/member.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import type { FleetWord } from '../../../../src/queue/background-queue.js';
import type { RedisQueue } from '../../../../src/queue/claims/claims-and-settlements.js';
import { EARLIER_USER, permitAsVersion1 } from '../../../support/redis/earlier-user.js';
import { QUEUE } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useOperator, useQueues } from '../queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);
const onQueue = useOperator(redis);
const { fleet } = redisKeys(QUEUE);
const DAY_MS = 86_400_000;
const PRESENCE: Presence = {
  ...{ kind: 'supervisor', pid: 7, version: '2', state: 'running', isReady: true },
  ...{ workersReady: 2, workersWanted: 2, deliveredPerSecond: 1, failedPerSecond: 0, uptimeSeconds: 9 },
};
const TEXT = presenceText(PRESENCE);

const say = ({ background }: RedisQueue, word: Partial<FleetWord> = {}): Promise<string> =>
  background.sayInFleet({
    ...{ field: 'a/9099', otherField: 'a/9099-7', writer: 'w.1', text: TEXT },
    ...{ hasSpoken: false, sweeps: false },
    ...word,
  });
const names = async () => (await redis.client.hkeys(fleet)).toSorted();
const wrote = async (name: string, agoMs: number): Promise<void> => {
  const [seconds = 0] = await redis.client.time();
  await redis.client.hset(fleet, name, `${Number(seconds) * 1_000 - agoMs} w.x ${TEXT}`);
};

test('what one says another reads, with the time of Redis, and all of it goes two days after the last word', async () => {
  const queue = await queueOf();
  expect(await say(queue)).toBe('a/9099');
  await redis.client.hset(fleet, 'junk', 'not a word');
  const look = await onQueue((operator) => operator.fleet());
  expect(look.members).toMatchObject([{ ...PRESENCE, host: 'a', instance: '9099', writer: 'w.1' }]);
  expect(look.redisNow - look.members[0]!.saidAt).toBeGreaterThanOrEqual(0);
  expect(new FleetWatch().look(look, 0).members[0]?.standing).toBe('alive');
  expect(await redis.client.ttl(fleet)).toBeGreaterThan(172_000);
  expect(await queue.background.fleet()).toMatchObject({ members: look.members });
});

test('who starts again takes over its name; of two that live under one, the first moves', async () => {
  const queue = await queueOf();
  expect(await say(queue)).toBe('a/9099');
  expect(await say(queue, { hasSpoken: true })).toBe('a/9099');
  // a second one, which has not spoken yet
  expect(await say(queue, { writer: 'w.2', otherField: 'a/9099-8' })).toBe('a/9099');
  expect(await say(queue, { hasSpoken: true })).toBe('a/9099-7');
  expect(await say(queue, { writer: 'w.2', hasSpoken: true, otherField: 'a/9099-8' })).toBe('a/9099');
  expect(await names()).toEqual(['a/9099', 'a/9099-7']);
  await redis.client.flushall();
  expect(await say(queue, { hasSpoken: true })).toBe('a/9099');
});

test('who was not heard of for a day is forgotten by the next who looks, on either side of a clock that was set', async () => {
  const queue = await queueOf();
  await wrote('old/1', DAY_MS + 1_000);
  await wrote('gone/1', DAY_MS - 60_000);
  await wrote('ahead/1', -DAY_MS - 60_000);
  await redis.client.hset(fleet, 'junk', 'not a word');
  await say(queue);
  expect(await names()).toHaveLength(5);
  await say(queue, { hasSpoken: true, sweeps: true });
  expect(await names()).toEqual(['a/9099', 'gone/1']);
});

test('of a thousand names the longest silent ones give way, and those that are heard of do not', async () => {
  const queue = await queueOf();
  const many = Array.from({ length: 998 }, (_, at) => `many-${at}/1`);
  await Promise.all(many.map((name) => wrote(name, 0)));
  await wrote('silent/1', 3_600_000);
  await wrote('longest/1', 7_200_000);
  await say(queue);
  expect(await names()).toHaveLength(1_000);
  expect(await names()).not.toContain('longest/1');
  await say(queue, { field: 'b/1' });
  expect(await names()).not.toContain('silent/1');
  await expect(say(queue, { field: 'c/1' })).rejects.toMatchObject({ code: 'E_REDIS_UNUSABLE' });
  expect(await say(queue, { hasSpoken: true })).toBe('a/9099');
});

test('without room for side books nobody new is written down, and who is there goes on', async () => {
  const queue = await queueOf('worker-1', { sideBooksMaxBytes: 0 });
  await expect(say(queue)).rejects.toThrow(/REDIS_SIDE_BOOKS_MAX/);
  expect(await redis.client.exists(fleet)).toBe(0);
  await wrote('a/9099', 10_000);
  expect(await say(queue)).toBe('a/9099');
});

test('a user with the commands of version 1, a full Redis and a key of another type refuse it, and nothing is written', async () => {
  await permitAsVersion1(redis.client);
  const earlier = await queueOf('worker-1', { redis: EARLIER_USER });
  await expect(say(earlier)).rejects.toMatchObject({
    code: 'E_REDIS_UNAVAILABLE',
    outcomeUnknown: false,
    message: expect.stringMatching(/may not run HSET here|can't run this command/) as string,
  });
  const queue = await queueOf('worker-2');
  await redis.client.config('SET', 'maxmemory', '1');
  try {
    await expect(say(queue)).rejects.toMatchObject({ outcomeUnknown: false });
  } finally {
    await redis.client.config('SET', 'maxmemory', '0');
  }
  expect(await redis.client.exists(fleet)).toBe(0);
  await redis.client.set(fleet, 'another program');
  const refusal = new RegExp(`The key ${fleet} in Redis is no hash`);
  await expect(say(queue)).rejects.toThrow(refusal);
  await expect(onQueue((operator) => operator.fleet())).rejects.toThrow(refusal);
});
