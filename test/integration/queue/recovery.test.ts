import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { FleetSeat } from '../../../src/domain/flow/fleet-share.js';
import { redisKeys } from '../../../src/queue/keys.js';
import { claim, message, places, QUEUE, settle } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { texts, useQueues } from './queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);
const keys = redisKeys(QUEUE);
const CONSUMERS = keys.consumers;

describe('lease and recovery', () => {
  test('claims of a dead consumer go back to the right end, oldest first, unchanged', async () => {
    const queue = await queueOf();
    const other = await queueOf('worker-2');
    await redis.client.lpush(QUEUE, 'a', 'b');
    await claim(queue, 2);
    await redis.client.lpush(QUEUE, 'younger');
    expect(await other.background.recover(queue.consumer, { evenIfLeased: true })).toEqual({ recovered: 2, buried: 0 });
    expect(texts(await claim(other, 3))).toEqual(['a', 'b', 'younger']);
  });

  test('nothing is taken from a consumer that has renewed its lease since it was looked at', async () => {
    const queue = await queueOf();
    const other = await queueOf('worker-2');
    await redis.client.lpush(QUEUE, 'a');
    await claim(queue, 1);
    const [seen] = (await other.background.register()).leases;
    expect(seen?.consumer).toBe(queue.consumer);
    await queue.renewLease();
    expect(await other.background.recover(queue.consumer, { score: seen!.score })).toEqual({ recovered: 0, buried: 0 });
    expect((await places(redis.client)).processing).toEqual(['a']);
  });

  test('who leaves and holds nothing has no lease any more; who holds something keeps it until others take that', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'a');
    const claims = await claim(queue, 1);
    await queue.leave(true);
    expect((await queue.background.register()).leases).toHaveLength(1);
    await queue.exchange({ settlements: claims.map((each) => ({ kind: 'ack', claim: each })), want: 0, inFlight: 0 });
    await redis.client.hset(keys.pausedSeen, queue.consumer, 'a pause');
    await queue.leave(true);
    expect(await redis.client.exists(keys.consumers, keys.pausedSeen)).toBe(0);
  });

  test('who leaves and may have been handed something has no lease, and what lands later is found', async () => {
    const queue = await queueOf();
    const other = await queueOf('worker-2');
    await queue.renewLease();
    await queue.leave(false);
    expect(await other.background.register()).toEqual({ leases: [], late: [] });
    await redis.client.lpush(keys.processing(queue.consumer), 'late');
    // nor does one count as gone that others have recovered
    await queue.leave(true);
    const { late } = await other.background.register();
    expect(late.map(({ consumer }) => consumer)).toEqual([queue.consumer]);
  });

  test('a lease that is over is taken, and its owner learns that it was lost', async () => {
    const names: string[] = [];
    const queue = await queueOf('worker-1', { events: { onLeaseLost: (name) => names.push(name) } });
    const other = await queueOf('worker-2');
    const former = queue.consumer;
    await redis.client.lpush(QUEUE, 'a');
    const [a] = await claim(queue, 1);
    const [seen] = (await other.background.register()).leases;
    expect(await other.background.recover(former, { score: seen!.score })).toEqual({ recovered: 1, buried: 0 });
    // by the loop and by the renewal at once: it takes one new name
    await Promise.all([queue.renewLease(), queue.renewLease(), claim(queue, 0)]);
    expect(names).toEqual([queue.consumer]);
    expect(queue.consumer).not.toBe(former);
    expect((await settle(queue, { kind: 'ack', claim: a! })).lost).toHaveLength(1);
    expect((await places(redis.client)).waiting).toEqual(['a']);
  });

  test('every renewal changes the score, and none lowers it, whatever the clock of Redis says', async () => {
    const inTenYears = Date.now() + 10 * 365 * 86_400_000;
    const queue = await queueOf();
    const scoreOf = async ({ consumer }: { readonly consumer: string }) =>
      Number(await redis.client.zscore(CONSUMERS, consumer));
    await redis.client.zadd(CONSUMERS, inTenYears, queue.consumer);
    await queue.renewLease();
    expect(await scoreOf(queue)).toBe(inTenYears + 1);
    await queue.renewLease();
    expect(await scoreOf(queue)).toBe(inTenYears + 2);
    // an exchange renews in passing what was not renewed for a second: by this one never
    const other = await queueOf('worker-2');
    await redis.client.zadd(CONSUMERS, inTenYears, other.consumer);
    await claim(other, 1);
    expect(await scoreOf(other)).toBe(inTenYears + 1);
  });

  test('a renewal has a connection of its own, so that no long settlement holds it up, and takes another without it', async () => {
    const queue = await queueOf();
    const clients = async () => String(await redis.client.client('LIST')).split('\n');
    const own = async () =>
      (await clients()).find((line) => line.includes('name=message-broker-worker:worker-1:lease '));
    await waitFor(own, { what: 'the connection' });
    await queue.renewLease();
    expect(await own()).toContain('cmd=eval');
    const before = Number(await redis.client.zscore(CONSUMERS, queue.consumer));
    await redis.client.client('KILL', 'ID', Number(/^id=(\d+)/.exec((await own()) ?? '')?.[1]));
    const kept = () => queue.renewLease().catch(() => undefined);
    await waitFor(async () => (await kept()) === 'kept', { what: 'a renewal' });
    expect(Number(await redis.client.zscore(CONSUMERS, queue.consumer))).toBeGreaterThan(before);
  });

  test('each renewal says how many consumers there are whose claims nobody has recovered', async () => {
    const [fleet, narrow] = [new FleetSeat(), new FleetSeat()];
    const queue = await queueOf('worker-1', { fleet });
    const others = [await queueOf('worker-2'), await queueOf('worker-3')];
    for (const each of [...others, queue]) await each.renewLease();
    expect(fleet.consumers).toBe(3);
    await queue.background.recover(others[0]!.consumer, { evenIfLeased: true });
    await queue.renewLease();
    expect(fleet.consumers).toBe(2);
    // what this user may not count does not end the lease
    await redis.client.call('ACL', 'SETUSER', 'narrow', 'reset', 'on', '>pw', '~*', '+@all', '-zcount');
    const user = { username: 'narrow', password: 'pw' };
    expect(await (await queueOf('worker-4', { fleet: narrow, redis: user })).renewLease()).toBe('kept');
    expect(narrow.consumers).toBe(1);
  });

  test('a late renewal keeps a lease that nobody took', async () => {
    const queue = await queueOf();
    await queue.renewLease();
    await redis.client.zadd(CONSUMERS, 1, queue.consumer);
    expect(await queue.renewLease()).toBe('kept');
  });

  test('a claim that lands after the recovery is found again', async () => {
    const queue = await queueOf();
    const other = await queueOf('worker-2');
    await queue.renewLease();
    await other.background.recover(queue.consumer, { evenIfLeased: true });
    expect(await other.background.register()).toEqual({ leases: [], late: [] });
    await redis.client.lpush(`{${QUEUE}}:processing:${queue.consumer}`, 'late');
    const [seen] = (await other.background.register()).late;
    expect(seen?.consumer).toBe(queue.consumer);
    await other.background.recover(queue.consumer, { score: seen!.score });
    expect((await places(redis.client)).waiting).toEqual(['late']);
    expect(await other.background.register()).toEqual({ leases: [], late: [] });
  });

  test('however many were recovered before, a look costs the same, finds what landed late and forgets the oldest', async () => {
    const { background } = await queueOf();
    const now = Date.now();
    const recovered = (name: string, at: number) => redis.client.zadd(CONSUMERS, -at, name);
    for (let from = 0; from < 10_000; from += 1_000) {
      const old = Array.from({ length: 1_000 }, (_, n) => [-(now - 7_200_000 - from - n), `old-${from + n}`]);
      await redis.client.zadd(CONSUMERS, ...(old.flat() as [number, string]));
    }
    for (let n = 0; n < 40; n += 1) await recovered(`new-${n}`, now - 1_000 + n);
    await redis.client.lpush(`{${QUEUE}}:processing:new-39`, 'late');
    await redis.client.lpush(`{${QUEUE}}:processing:new-0`, 'late, and in turn');
    await redis.client.config('RESETSTAT');
    expect((await background.register()).late.map(({ consumer }) => consumer).sort()).toEqual(['new-0', 'new-39']);
    const calls = /cmdstat_llen:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1];
    expect(Number(calls)).toBeLessThanOrEqual(64);
    const before = await redis.client.zcard(CONSUMERS);
    const found = new Set<string>();
    for (let looks = 0; looks < 400; looks += 1) {
      for (const { consumer } of (await background.register()).late) found.add(consumer);
    }
    expect([...found].sort()).toEqual(['new-0', 'new-39']);
    expect(before - (await redis.client.zcard(CONSUMERS))).toBeGreaterThan(5_000);
  });

  test('a list that is none is said by its name, and keeps its consumer from being recovered only', async () => {
    const queue = await queueOf();
    const own = `{${QUEUE}}:processing:worker-9`;
    await redis.client.zadd(CONSUMERS, 1, 'worker-9');
    await redis.client.set(own, 'text');
    await expect(queue.background.recover('worker-9', { score: '1' })).rejects.toThrow(
      `WRONGTYPE Operation against a key holding the wrong kind of value`,
    );
    await expect(queue.background.recover('worker-9', { score: '1' })).rejects.toThrow(own);
    expect(await redis.client.zscore(CONSUMERS, 'worker-9')).toBe('1');
  });

  test('while nothing may be written, a look is refused as a renewal would be', async () => {
    const { background } = await queueOf();
    await redis.client.config('SET', 'min-replicas-to-write', '1');
    try {
      await expect(background.register()).rejects.toThrow('NOREPLICAS');
    } finally {
      await redis.client.config('SET', 'min-replicas-to-write', '0');
    }
  });

  test('many claims, and large ones, are moved a few at a time, in order', async () => {
    const { background } = await queueOf();
    const own = `{${QUEUE}}:processing:worker-9`;
    const raws = Array.from({ length: 500 }, (_, n) => `m${n}`);
    await redis.client.lpush(own, ...raws);
    const large = Array.from({ length: 6 }, (_, n) => `${n}`.repeat(700_000));
    await redis.client.lpush(own, ...large, 'L'.repeat(3_000_000));
    await redis.client.config('RESETSTAT');
    await redis.client.zadd(CONSUMERS, 1, 'worker-9');
    expect(await background.recover('worker-9', { score: '1' })).toEqual({ recovered: 507, buried: 0 });
    const waiting = await redis.client.lrange(QUEUE, 0, -1);
    expect(waiting.toReversed().slice(0, 500)).toEqual(raws);
    expect(waiting.slice(0, 7).map((text) => text.length)).toEqual([3_000_000, ...large.map(() => 700_000)]);
    const steps = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1];
    expect(Number(steps)).toBeGreaterThanOrEqual(9);
  });

  test('a message in flight at ten crashes is buried as poison, its companions are not', async () => {
    const queue = await queueOf();
    const other = await queueOf('worker-2');
    await redis.client.lpush(QUEUE, message('killer'), message('companion'));
    for (let crash = 1; crash <= 10; crash += 1) {
      const claims = await claim(queue, 2);
      // from the third crash on each is claimed alone, so the companion gets through
      const survivors = claims.filter((c) => c.raw.includes('companion') && claims.length === 1);
      for (const survivor of survivors) await settle(queue, { kind: 'ack', claim: survivor });
      await other.background.recover(queue.consumer, { evenIfLeased: true });
      await redis.client.zrem(`{${QUEUE}}:consumers`, queue.consumer);
    }
    const found = await places(redis.client);
    expect(found.waiting).toEqual([message('companion')]);
    expect(found.processing).toEqual([]);
    expect(found.dead.map((text) => JSON.parse(text) as unknown)).toEqual([
      expect.objectContaining({ reason: 'poison', message: message('killer') }),
    ]);
    const [hour = ''] = await redis.client.keys(`{${QUEUE}}:failures:20*`);
    expect(await redis.client.hgetall(hour)).toEqual({
      'poison   ': expect.stringMatching(/^1 \d+ \d+ killer$/) as string,
    });
  });

  test('a poisonous message that Redis refuses to bury is not said to be buried, and stays where it is found again', async () => {
    const { background } = await queueOf();
    const raw = message('killer');
    const own = `{${QUEUE}}:processing:worker-9`;
    const dead = [`{${QUEUE}}:dead`, `{${QUEUE}}:dead:letters`];
    await redis.client.lpush(own, raw);
    await redis.client.hset(`{${QUEUE}}:crashes`, createHash('sha1').update(raw).digest('hex'), 10);
    for (const key of dead) await redis.client.set(key, 'of another type');
    await expect(background.recover('worker-9', { evenIfLeased: true })).rejects.toThrow('refuses to bury a message');
    expect(await redis.client.lrange(own, 0, -1)).toEqual([raw]);
    await redis.client.del(...dead);
    expect(await background.recover('worker-9', { evenIfLeased: true })).toEqual({ recovered: 0, buried: 1 });
    expect((await places(redis.client)).dead).toHaveLength(1);
  });
});

describe('reconcile', () => {
  test('hands back what it does not hold and names what it holds in vain', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'a', 'b', 'x', 'x');
    const [a, , x1, x2] = await claim(queue, 4);
    await settle(queue, { kind: 'ack', claim: x2! });
    // b's reply was lost, x2's acknowledgement was applied though we do not know
    const { handedBack, missing } = await queue.reconcile([a!, x1!, x2!]);
    expect(handedBack).toBe(1);
    expect(missing).toEqual([x2]);
    expect(await places(redis.client)).toMatchObject({ waiting: ['b'], processing: ['x', 'a'] });
  });

  test('tells what others recovered from what was settled, before and after it has another name', async () => {
    const queue = await queueOf();
    const other = await queueOf('worker-2');
    await redis.client.lpush(QUEUE, 'a');
    const [a] = await claim(queue, 1);
    await queue.renewLease();
    await other.background.recover(queue.consumer, { evenIfLeased: true });
    expect(await queue.reconcile([a!])).toEqual({ handedBack: 0, missing: [], lost: [a] });
    expect(await queue.renewLease()).toBe('lost');
    expect(await queue.reconcile([a!])).toEqual({ handedBack: 0, missing: [], lost: [a] });
  });
});
