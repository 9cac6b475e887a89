import { describe, expect, test } from 'vitest';
import { readPause } from '../../../../src/domain/pause/pause.js';
import type { RedisQueue } from '../../../../src/queue/claims/claims-and-settlements.js';
import type { KeptPause } from '../../../../src/queue/background-queue.js';
import { claim, message, places, QUEUE, settle } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import { texts, useQueues } from '../queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);
const PAUSED = `{${QUEUE}}:paused`;
const SEEN = `{${QUEUE}}:paused:seen`;
const PAUSE = JSON.stringify({ id: 'p1', who: 'anna', where: 'web-1', why: 'test' });
/** As ecosystem.md of version 1.0 lists it. */
const OF_VERSION_1 =
  '+hello +auth +select +ping +info +quit +command +client +eval +evalsha +blmove +brpoplpush +brpop +rpop +rpoplpush +lpush +rpush +lrem +llen +lrange +lindex +zadd +zrem +zcard +zscore +zrange +zrangebyscore +hget +hdel +hincrby +exists +expire +time';

const kept = (text: string): KeptPause => ({ text, ...readPause(text) });

/** Keeps the pause that a look finds, as a worker does. */
async function keep(queue: RedisQueue): Promise<KeptPause> {
  const { text } = await queue.lookAtPause();
  await queue.lookAtPause(kept(text!));
  return kept(text!);
}

describe('an exchange', () => {
  test('claims nothing while deliveries are paused, and settles all the same', async () => {
    const seen: boolean[] = [];
    const queue = await queueOf('worker-1', { onPauseSeen: (isPaused) => void seen.push(isPaused) });
    await redis.client.lpush(QUEUE, message('a'), message('b'));
    const [first] = await claim(queue, 1);
    await redis.client.set(PAUSED, PAUSE);
    expect(await claim(queue, 1)).toEqual([]);
    await settle(queue, { kind: 'ack', claim: first! });
    expect(await places(redis.client)).toMatchObject({ waiting: [message('b')], processing: [] });
    await redis.client.del(PAUSED);
    expect(texts(await claim(queue, 1))).toEqual([message('b')]);
    expect(seen).toEqual([false, true, true, false]);
  });

  test.each(['', 'yes', '{"id":', 'x'.repeat(5_000_000)])('a pause is whatever is written there: %#', async (text) => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, message('a'));
    await redis.client.set(PAUSED, text);
    expect(await claim(queue, 1)).toEqual([]);
    const look = await queue.lookAtPause();
    expect(look.text).toBe(text.slice(0, 4_096));
    await queue.lookAtPause(kept(look.text!));
    expect(await redis.client.hget(SEEN, queue.consumer)).toBe(readPause(look.text!).id);
  });

  test.each([
    ['list', () => redis.client.lpush(PAUSED, 'x')],
    ['hash', () => redis.client.hset(PAUSED, 'x', 'y')],
  ])('a %s of that name is no pause, and is told of', async (_, write) => {
    const queue = await queueOf();
    await write();
    await redis.client.lpush(QUEUE, message('a'));
    expect(await claim(queue, 1)).toHaveLength(1);
    expect(await queue.lookAtPause()).toMatchObject({
      text: undefined,
      refusal: expect.stringMatching(/WRONGTYPE/) as string,
    });
  });

  test('a blocking pop looks before it waits', async () => {
    const seen: boolean[] = [];
    const queue = await queueOf('worker-1', { onPauseSeen: (isPaused) => void seen.push(isPaused) });
    await redis.client.set(PAUSED, PAUSE);
    const claimed = queue.claimBlocking();
    await waitFor(() => seen.length > 0, { what: 'the look' });
    await redis.client.lpush(QUEUE, message('a'));
    expect(await claimed).toBeDefined();
    expect(seen).toEqual([true]);
  });
});

describe('who keeps a pause', () => {
  test('is noted until a look of its own finds none', async () => {
    const [queue, other] = [await queueOf('worker-1'), await queueOf('worker-2')];
    await redis.client.set(PAUSED, PAUSE);
    const pause = await keep(queue);
    await keep(other);
    expect(await redis.client.hgetall(SEEN)).toEqual({ [queue.consumer]: 'p1', [other.consumer]: 'p1' });
    await redis.client.del(PAUSED);
    expect((await queue.lookAtPause(pause)).text).toBeUndefined();
    expect(await redis.client.hgetall(SEEN)).toEqual({ [other.consumer]: 'p1' });
  });

  test('is not noted for another pause than the one it has seen', async () => {
    const queue = await queueOf();
    await redis.client.set(PAUSED, PAUSE);
    expect((await queue.lookAtPause(kept('{"id":"p0"}'))).text).toBe(PAUSE);
    expect(await redis.client.exists(SEEN)).toBe(0);
  });

  test.each([
    [
      'its lease has run out',
      (other: RedisQueue, name: string, score: string) => other.background.recover(name, { score }),
    ],
    [
      'its process is dead',
      (other: RedisQueue, name: string) => other.background.recover(name, { evenIfLeased: true }),
    ],
  ])('is forgotten when it is recovered: %s', async (_, recover) => {
    const [queue, other] = [await queueOf('worker-1'), await queueOf('worker-2')];
    await queue.renewLease();
    await redis.client.set(PAUSED, PAUSE);
    await keep(queue);
    await recover(other, queue.consumer, (await redis.client.zscore(`{${QUEUE}}:consumers`, queue.consumer))!);
    expect(await redis.client.exists(SEEN)).toBe(0);
  });

  test('cannot be noted in a key of another type, which is told of and keeps nobody from keeping it', async () => {
    const queue = await queueOf();
    await redis.client.set(SEEN, 'x');
    await redis.client.set(PAUSED, PAUSE);
    expect(await queue.lookAtPause(kept(PAUSE))).toMatchObject({
      text: PAUSE,
      refusal: expect.stringMatching(/WRONGTYPE/) as string,
    });
  });
});

describe('the end of a pause', () => {
  const until = async (inMs: number): Promise<string> => {
    const [seconds] = (await redis.client.time()).map(Number);
    return JSON.stringify({ id: 'p1', until: new Date(seconds! * 1_000 + inMs).toISOString() });
  };

  test('is left to Redis and its clock by who keeps it first', async () => {
    const queue = await queueOf();
    await redis.client.set(PAUSED, await until(60_000));
    await keep(queue);
    const left = await redis.client.pttl(PAUSED);
    expect(left).toBeGreaterThan(50_000);
    expect(left).toBeLessThanOrEqual(60_000);
    expect((await queue.lookAtPause()).leftMs).toBeGreaterThan(50_000);
  });

  test('has come when it is past', async () => {
    const queue = await queueOf();
    await redis.client.set(PAUSED, await until(-60_000));
    await keep(queue);
    expect(await redis.client.exists(PAUSED, SEEN)).toBe(0);
  });

  test('an expiry that is there already stays', async () => {
    const queue = await queueOf();
    await redis.client.set(PAUSED, await until(600_000), 'PX', 60_000);
    await keep(queue);
    expect(await redis.client.pttl(PAUSED)).toBeLessThanOrEqual(60_000);
  });
});

describe('a user', () => {
  const as = async (name: string, rules: string): Promise<RedisQueue> => {
    const keys = [`~${QUEUE}`, `~{${QUEUE}}:*`];
    await redis.client.call('ACL', 'SETUSER', name, 'reset', 'on', '>pw', ...keys, ...rules.split(' '));
    return queueOf('worker-1', { redis: { username: name, password: 'pw' } });
  };

  test('of version 1.0 delivers as ever, and is told that it cannot see a pause', async () => {
    const queue = await as('first', OF_VERSION_1);
    await redis.client.set(PAUSED, PAUSE);
    await redis.client.lpush(QUEUE, message('a'));
    expect(texts(await claim(queue, 1))).toEqual([message('a')]);
    const look = await queue.lookAtPause();
    expect(look.text).toBeUndefined();
    expect(look.refusal).toMatch(/can't run this command|NOPERM/);
  });

  test('who may look and not write keeps the pause, and is told so', async () => {
    const queue = await as('reader', `${OF_VERSION_1} +get +pttl`);
    await redis.client.set(PAUSED, PAUSE);
    const look = await queue.lookAtPause(kept(PAUSE));
    expect(look.text).toBe(PAUSE);
    expect(look.refusal).toMatch(/can't run this command|NOPERM/);
  });

  test('who may not touch the keys at all delivers', async () => {
    const queue = await as('full', '+@all -get -hset');
    await redis.client.lpush(QUEUE, message('a'), message('b'));
    expect(await claim(queue, 1)).toHaveLength(1);
    expect(await queue.claimBlocking()).toBeDefined();
    expect((await queue.lookAtPause()).text).toBeUndefined();
  });
});
