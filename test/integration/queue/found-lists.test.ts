import { expect, test } from 'vitest';
import { LEASE_MS } from '../../../src/domain/clocks/lease-watch.js';
import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { useQueues } from './queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);

test.each([QUEUE, 'odd*[name]?'])(
  'lists of consumers that nobody knows are found among other keys: %s',
  async (name) => {
    const { background } = await queueOf('worker-1', { name });
    await redis.client.mset(Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`other:${n}`, 'x'])));
    const consumers = `{${name}}:consumers`;
    await redis.client.zadd(consumers, 1, 'known');
    for (const consumer of ['known', 'lost@h/0.1.a', 'lost:2']) {
      await redis.client.lpush(`{${name}}:processing:${consumer}`, 'claim');
    }
    await redis.client.lpush(`{${name}}x:processing:other`, 'claim');
    const [seconds] = (await redis.client.time()).map(Number);
    const found: string[] = [];
    let looks = 0;
    let cursor = '0';
    do {
      const page = await background.registerFound(cursor);
      found.push(...page.consumers);
      cursor = page.cursor;
      looks += 1;
    } while (cursor !== '0');
    expect(found.sort()).toEqual(['lost:2', 'lost@h/0.1.a']);
    expect(looks).toBeGreaterThan(4);
    expect(await redis.client.zscore(consumers, 'known')).toBe('1');
    // a lease that its holder, should it live, can renew
    const until = Number(await redis.client.zscore(consumers, 'lost:2'));
    expect(until).toBeGreaterThanOrEqual((seconds ?? NaN) * 1_000 + LEASE_MS);
    expect((await background.sizes()).processing).toBe(3);
  },
);

test('one has the search, until it gives it up or is gone for 30 s', async () => {
  const [a, b] = [(await queueOf('worker-1')).background, (await queueOf('worker-2')).background];
  expect([await a.takeSearch('a'), await b.takeSearch('b'), await a.takeSearch('a')]).toEqual([true, false, true]);
  await b.leaveSearch('b');
  expect(await b.takeSearch('b')).toBe(false);
  const left = await redis.client.pttl(`{${QUEUE}}:searcher`);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(30_000);
  await a.leaveSearch('a');
  expect(await b.takeSearch('b')).toBe(true);
});

test('a key of another type in its place keeps nobody from searching', async () => {
  const { background } = await queueOf('worker-1');
  await redis.client.lpush(`{${QUEUE}}:searcher`, 'x');
  expect(await background.takeSearch('a')).toBe(true);
  expect(await redis.client.lrange(`{${QUEUE}}:searcher`, 0, -1)).toEqual(['x']);
});
