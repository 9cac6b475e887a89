import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { claim, places, QUEUE, settle } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { texts, useQueues } from './queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);

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
    const [, dueAtMs] = await redis.client.zrange(`{${QUEUE}}:retry`, '0', '-1', 'WITHSCORES');
    const promoted = await waitFor(
      async () => {
        const promotion = await queue.background.promoteDue(10);
        return promotion.moved > 0 && promotion;
      },
      { what: 'the retry to fall due' },
    );
    expect(promoted).toMatchObject({ moved: 1, messageIds: ['id:1 ü'], nextDueMs: undefined });
    const [seconds, microseconds] = (await redis.client.time()).map(Number);
    expect((seconds ?? 0) * 1_000 + (microseconds ?? 0) / 1_000).toBeGreaterThanOrEqual(Number(dueAtMs));
    expect((await places(redis.client)).waiting).toEqual(['a+1', 'younger']);
  });
});
