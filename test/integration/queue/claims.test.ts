import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { claim, places, QUEUE, settle } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { texts, useQueues } from './queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);

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
    const waiting = queue.claimBlocking();
    await waitFor(async () => (await redis.client.info('clients')).includes('blocked_clients:1'), {
      what: 'the pop to block',
    });
    await queue.unblock();
    // not two seconds later, by itself
    expect(await redis.client.info('clients')).toContain('blocked_clients:0');
    expect(await waiting).toBeUndefined();
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

describe('what Redis is', () => {
  test('tells its version and eviction policy', async () => {
    const queue = await queueOf();
    expect(await queue.inspect()).toEqual({
      version: expect.stringMatching(/^\d+\./) as string,
      evictionPolicy: 'noeviction',
      tells: true,
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
    // set out of the way
    await redis.client.zadd('{message_queue}:retry', '-inf', 'another program wrote this');
    const { firstRetryDueMs, redisNow, ...sizes } = await queue.background.sizes();
    expect(sizes).toEqual({ waiting: 1, processing: 1, retrying: 2, dead: 1, deadInbox: 0, oldest: Buffer.from('d') });
    expect(redisNow).toBeLessThanOrEqual(Number((await redis.client.time())[0]) * 1_000 + 999);
    const dueIn = firstRetryDueMs! - redisNow!;
    expect(dueIn > 0 && dueIn <= 60_000).toBe(true);
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
