import { Buffer } from 'node:buffer';
import { afterEach, describe, expect, test } from 'vitest';
import type { Claim } from '../../../src/queue/message-queue.js';
import type { RedisQueue } from '../../../src/queue/claims-and-settlements.js';
import { claim, message, openQueue, places, QUEUE, settle, type QueueOptions } from '../../support/queue.js';
import { useRedis } from '../../support/redis.js';
import { waitFor } from '../../support/wait-for.js';

const redis = useRedis();
const open: RedisQueue[] = [];

async function queueOf(workerId = 'worker-1', options: QueueOptions = {}): Promise<RedisQueue> {
  const queue = await openQueue(redis.port, workerId, options);
  open.push(queue);
  return queue;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((queue) => queue.stop()));
});

const texts = (claims: readonly Claim[]) => claims.map((c) => c.raw.toString());

describe('claim', () => {
  test('takes the oldest first, never more than wanted, and keeps a safety copy', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'a', 'b', 'c');
    expect(texts(await claim(queue, 2))).toEqual(['a', 'b']);
    expect(await places(redis.client)).toMatchObject({ waiting: ['c'], processing: ['b', 'a'] });
  });

  test('waits for one message and gets it when it comes', async () => {
    const queue = await queueOf();
    const waiting = queue.claimBlocking();
    await waitFor(async () => (await redis.client.info('clients')).includes('blocked_clients:1'), {
      what: 'the pop to block',
    });
    await redis.client.lpush(QUEUE, 'a');
    expect((await waiting)?.raw.toString()).toBe('a');
    expect((await places(redis.client)).processing).toEqual(['a']);
  });

  test('a wait ends by itself after the block time and at once by unblock', async () => {
    const queue = await queueOf();
    expect(await queue.claimBlocking()).toBeUndefined();
    const startedAt = performance.now();
    const waiting = queue.claimBlocking();
    await waitFor(async () => (await redis.client.info('clients')).includes('blocked_clients:1'), {
      what: 'the pop to block',
    });
    await queue.unblock();
    expect(await waiting).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });

  test('values that are not UTF-8 pass byte for byte', async () => {
    const queue = await queueOf();
    const raw = Buffer.from([0xff, 0x00, 0xfe, 0x0a]);
    await redis.client.lpush(QUEUE, raw);
    const [taken] = await claim(queue, 1);
    expect(taken?.raw.equals(raw)).toBe(true);
    await settle(queue, { kind: 'hand-back', claim: taken! });
    expect(raw.equals((await redis.client.lindexBuffer(QUEUE, 0))!)).toBe(true);
  });

  test('large messages come one by one, whatever is wanted', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'x'.repeat(2_000_000), 'y'.repeat(2_000_000), 'small');
    expect((await claim(queue, 3)).map((c) => c.raw.length)).toEqual([2_000_000]);
    expect((await claim(queue, 3)).map((c) => c.raw.length)).toEqual([2_000_000]);
    expect(texts(await claim(queue, 3))).toEqual(['small']);
  });

  test('the keys of a queue that has a hash tag of its own share its slot', async () => {
    const queue = await queueOf('worker-1', { name: '{tenant}:queue' });
    await redis.client.lpush('{tenant}:queue', 'a');
    await claim(queue, 1);
    expect(await redis.client.keys('{tenant}:queue:processing:*')).toHaveLength(1);
  });
});

describe('settle', () => {
  test('ack, retry, bury and hand-back each leave the message in exactly one place', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'a', 'b', 'c', 'd');
    const [a, b, c, d] = await claim(queue, 4);
    const { lost } = await settle(
      queue,
      { kind: 'ack', claim: a! },
      { kind: 'retry', claim: b!, message: Buffer.from('b+1'), messageId: 'b', delayMs: 60_000 },
      { kind: 'bury', claim: c!, envelope: '{"c":1}' },
      { kind: 'hand-back', claim: d! },
    );
    expect(lost).toEqual([]);
    expect(await places(redis.client)).toEqual({ waiting: ['d'], processing: [], retry: ['b+1'], dead: ['{"c":1}'] });
  });

  test('settles and claims in one round trip', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'a', 'b');
    const [a] = await claim(queue, 1);
    const exchange = await queue.exchange({ settlements: [{ kind: 'ack', claim: a! }], want: 5, inFlight: 0 });
    expect(texts(exchange.claims)).toEqual(['b']);
  });

  test('acts only on a claim that is still in the list of its consumer', async () => {
    const queue = await queueOf();
    const other = await queueOf('worker-2');
    await redis.client.lpush(QUEUE, 'a');
    const [a] = await claim(queue, 1);
    await other.background.recover(queue.consumer, { evenIfLeased: true });
    const settlements = [
      { kind: 'retry', claim: a!, message: Buffer.from('a+1'), messageId: 'a', delayMs: 1 },
    ] as const;
    expect((await queue.exchange({ settlements, want: 0, inFlight: 0 })).lost).toEqual(settlements);
    expect(await places(redis.client)).toEqual({ waiting: ['a'], processing: [], retry: [], dead: [] });
  });

  test('byte-identical messages stay two, everywhere', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'x', 'x', 'x');
    const claims = await claim(queue, 3);
    const later = claims.map(
      (c) => ({ kind: 'retry', claim: c, message: c.raw, messageId: 'x', delayMs: 60_000 }) as const,
    );
    await settle(queue, later[0]!, later[1]!, { kind: 'ack', claim: claims[2]! });
    expect(await places(redis.client)).toEqual({ waiting: [], processing: [], retry: ['x', 'x'], dead: [] });
  });

  test('a settlement that Redis refuses leaves the claim where it was', async () => {
    const queue = await queueOf();
    await redis.client.set(`{${QUEUE}}:retry`, 'not a sorted set');
    await redis.client.lpush(QUEUE, 'a');
    const [a] = await claim(queue, 1);
    const result = await settle(queue, { kind: 'retry', claim: a!, message: a!.raw, messageId: 'a', delayMs: 1 });
    expect(result.refused.map((r) => r.reason)).toEqual([expect.stringContaining('WRONGTYPE')]);
    expect(await redis.client.lrange(`{${QUEUE}}:processing:${queue.consumer}`, 0, -1)).toEqual(['a']);
  });

  test('settling goes on in a full Redis', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'a', 'b', 'c');
    const [a, b, c] = await claim(queue, 3);
    await redis.client.config('SET', 'maxmemory', '1');
    try {
      await settle(
        queue,
        { kind: 'ack', claim: a! },
        { kind: 'retry', claim: b!, message: b!.raw, messageId: 'b', delayMs: 60_000 },
      );
      await settle(queue, { kind: 'bury', claim: c!, envelope: 'c' });
    } finally {
      await redis.client.config('SET', 'maxmemory', '0');
    }
    expect(await places(redis.client)).toEqual({ waiting: [], processing: [], retry: ['b'], dead: ['c'] });
  });

  test('a full Redis is emptied: claiming, leases, retries, recovery and hand-back go on', async () => {
    const queue = await queueOf();
    const dead = await queueOf('worker-9');
    await redis.client.lpush(QUEUE, 'a', 'b', 'c', 'd');
    await claim(dead, 1);
    const [b] = await claim(queue, 1);
    await settle(queue, { kind: 'retry', claim: b!, message: b!.raw, messageId: 'b', delayMs: 0 });
    await redis.client.config('SET', 'maxmemory', '1');
    try {
      expect(await queue.renewLease()).toBe('kept');
      expect((await queue.background.promoteDue(10)).moved).toBe(1);
      expect(await queue.background.recover(dead.consumer, { evenIfLeased: true })).toMatchObject({ recovered: 1 });
      expect(texts(await claim(queue, 4))).toEqual(['a', 'c', 'd', 'b']);
      expect((await queue.reconcile([])).handedBack).toBe(4);
    } finally {
      await redis.client.config('SET', 'maxmemory', '0');
    }
    expect((await places(redis.client)).waiting.sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('scripts come back after SCRIPT FLUSH', async () => {
    const queue = await queueOf();
    await claim(queue, 1);
    await redis.client.script('FLUSH');
    await redis.client.lpush(QUEUE, 'a');
    expect(texts(await claim(queue, 1))).toEqual(['a']);
  });
});

describe('retry', () => {
  test('a retry falls due after its delay on the clock of Redis and goes back by LPUSH', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'a');
    const [a] = await claim(queue, 1);
    await redis.client.lpush(QUEUE, 'younger');
    await settle(queue, { kind: 'retry', claim: a!, message: Buffer.from('a+1'), messageId: 'id:1 ü', delayMs: 80 });
    expect(await queue.background.promoteDue(10)).toMatchObject({ moved: 0 });
    const due = await waitFor(
      async () => {
        const promotion = await queue.background.promoteDue(10);
        return promotion.moved > 0 && promotion;
      },
      { what: 'the retry to fall due' },
    );
    expect(due).toEqual({ moved: 1, messageIds: ['id:1 ü'], nextDueMs: undefined });
    expect((await places(redis.client)).waiting).toEqual(['a+1', 'younger']);
  });
});

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

describe('what Redis is', () => {
  test('tells its version and eviction policy', async () => {
    const queue = await queueOf();
    expect(await queue.inspect()).toEqual({
      version: expect.stringMatching(/^\d+\./) as string,
      evictionPolicy: 'noeviction',
    });
  });

  test('counts every place', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'a', 'b', 'c', 'd');
    const [a, b] = await claim(queue, 3);
    await settle(
      queue,
      { kind: 'retry', claim: a!, message: a!.raw, messageId: 'a', delayMs: 60_000 },
      { kind: 'bury', claim: b!, envelope: 'b' },
    );
    const sizes = await queue.background.sizes();
    expect(sizes).toEqual({ waiting: 1, processing: 1, retrying: 1, dead: 1, oldest: Buffer.from('d') });
  });

  test('plain mode pops without a copy and still schedules retries', async () => {
    const queue = await queueOf('worker-1', { reliable: false });
    await redis.client.lpush(QUEUE, 'a', 'b');
    const first = await queue.claimBlocking();
    const [second] = await claim(queue, 1);
    await settle(
      queue,
      { kind: 'retry', claim: first!, message: Buffer.from('a+1'), messageId: 'a', delayMs: 60_000 },
      { kind: 'hand-back', claim: second! },
    );
    expect(await places(redis.client)).toEqual({ waiting: ['b'], processing: [], retry: ['a+1'], dead: [] });
  });
});
