import { describe, expect, test } from 'vitest';
import { claim, message, places, QUEUE, settle } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { texts, useQueues } from './queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);

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

  test('nothing is taken from a consumer whose lease runs', async () => {
    const queue = await queueOf();
    const other = await queueOf('worker-2');
    await redis.client.lpush(QUEUE, 'a');
    await claim(queue, 1);
    expect(await other.background.recover(queue.consumer, { evenIfLeased: false })).toEqual({
      recovered: 0,
      buried: 0,
    });
    expect((await other.background.expiredConsumers()).expired).toEqual([]);
  });

  test('a lease that ran out is found, and its owner learns that it was lost', async () => {
    const names: string[] = [];
    const queue = await queueOf('worker-1', { events: { onLeaseLost: (name) => names.push(name) } });
    const other = await queueOf('worker-2');
    const former = queue.consumer;
    await redis.client.lpush(QUEUE, 'a');
    const [a] = await claim(queue, 1);
    await redis.client.zadd(`{${QUEUE}}:consumers`, 1, former);
    expect((await other.background.expiredConsumers()).expired).toEqual([former]);
    await other.background.recover(former, { evenIfLeased: false });
    expect(await queue.renewLease()).toBe('lost');
    expect(names).toEqual([queue.consumer]);
    expect(queue.consumer).not.toBe(former);
    expect((await settle(queue, { kind: 'ack', claim: a! })).lost).toHaveLength(1);
    expect((await places(redis.client)).waiting).toEqual(['a']);
  });

  test('a late renewal keeps a lease that nobody took', async () => {
    const queue = await queueOf();
    await queue.renewLease();
    await redis.client.zadd(`{${QUEUE}}:consumers`, 1, queue.consumer);
    expect(await queue.renewLease()).toBe('kept');
  });

  test('a claim that lands after the recovery is found again', async () => {
    const queue = await queueOf();
    const other = await queueOf('worker-2');
    await queue.renewLease();
    await other.background.recover(queue.consumer, { evenIfLeased: true });
    expect((await other.background.expiredConsumers()).expired).toEqual([]);
    await redis.client.lpush(`{${QUEUE}}:processing:${queue.consumer}`, 'late');
    expect((await other.background.expiredConsumers()).expired).toEqual([queue.consumer]);
    await other.background.recover(queue.consumer, { evenIfLeased: false });
    expect((await places(redis.client)).waiting).toEqual(['late']);
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
