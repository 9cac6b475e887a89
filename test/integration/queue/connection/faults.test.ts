import { afterEach, describe, expect, test } from 'vitest';
import { RedisUnavailableError } from '../../../../src/shared/errors.js';
import type { RedisQueue } from '../../../../src/queue/claims/claims-and-settlements.js';
import { claim, openQueue, places, QUEUE, settle } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { startTcpProxy, type TcpProxy } from '../../../support/tcp-proxy.js';
import { waitFor } from '../../../support/wait-for.js';

/** Lost replies, silent sockets and a Redis that goes away: the queue must say so soon, and lose nothing. */
const redis = useRedis({ appendonly: true });
const cleanUp: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

async function throughProxy(): Promise<{ queue: RedisQueue; proxy: TcpProxy }> {
  const proxy = await startTcpProxy(redis.port);
  cleanUp.push(() => proxy.close());
  const queue = await openQueue(proxy.port);
  cleanUp.push(() => queue.stop());
  return { queue, proxy };
}

async function openDirect(): Promise<RedisQueue> {
  const queue = await openQueue(redis.port);
  cleanUp.push(() => queue.stop());
  return queue;
}

const unknownOutcome = { code: 'E_REDIS_UNAVAILABLE', outcomeUnknown: true };
const ready = (queue: RedisQueue) => waitFor(() => queue.isReady(), { what: 'the queue to be ready again' });
const blocked = () =>
  waitFor(async () => (await redis.client.info('clients')).includes('blocked_clients:1'), { what: 'the pop to block' });

describe('a reply is lost', () => {
  test('a claim cut inside its reply is handed back after the reconnection', async () => {
    const { queue, proxy } = await throughProxy();
    await claim(queue, 1);
    await redis.client.lpush(QUEUE, 'a', 'b');
    proxy.cutAfter(5);
    await expect(claim(queue, 2)).rejects.toMatchObject(unknownOutcome);
    expect((await places(redis.client)).processing).toEqual(['b', 'a']);
    await ready(queue);
    expect(await queue.reconcile([])).toEqual({ handedBack: 2, missing: [], lost: [] });
    expect((await claim(queue, 2)).map((c) => c.raw.toString())).toEqual(['a', 'b']);
  });

  test('an acknowledgement cut inside its reply shows as applied', async () => {
    const { queue, proxy } = await throughProxy();
    await redis.client.lpush(QUEUE, 'a');
    const [a] = await claim(queue, 1);
    proxy.cutAfter(3);
    await expect(settle(queue, { kind: 'ack', claim: a! })).rejects.toMatchObject(unknownOutcome);
    await ready(queue);
    expect(await queue.reconcile([a!])).toEqual({ handedBack: 0, missing: [a], lost: [] });
  });

  test('a blocking claim that Redis still holds for a dead connection is ended before the lists are compared', async () => {
    const { queue, proxy } = await throughProxy();
    const waiting = queue.claimBlocking();
    await blocked();
    await proxy.setMode('blackhole');
    await expect(waiting).rejects.toBeInstanceOf(RedisUnavailableError);
    // the former socket stays open towards Redis: its pop would take the next message into the void
    await proxy.setMode('pass');
    await ready(queue);
    await queue.reconcile([]);
    await redis.client.lpush(QUEUE, 'a');
    expect((await claim(queue, 1)).map((c) => c.raw.toString())).toEqual(['a']);
  });
});

describe('Redis goes away', () => {
  test('a pop under way rejects when the connection is reset, and never runs twice', async () => {
    const { queue, proxy } = await throughProxy();
    const waiting = queue.claimBlocking();
    await blocked();
    proxy.dropConnections('reset');
    await expect(waiting).rejects.toMatchObject(unknownOutcome);
    await ready(queue);
    await redis.client.lpush(QUEUE, 'a');
    expect((await places(redis.client)).waiting).toEqual(['a']);
  });

  test('commands fail at once while it is down, and work again after a restart with its file', async () => {
    const problems: string[] = [];
    const queue = await openQueue(redis.port, 'worker-1', { events: { onDisconnected: (p) => problems.push(p) } });
    cleanUp.push(() => queue.stop());
    // while it waits for the disk of a busy machine, `everysec` holds writes back
    await redis.client.config('SET', 'appendfsync', 'always');
    await redis.client.lpush(QUEUE, 'a', 'b');
    const [a] = await claim(queue, 1);
    await redis.process.kill();
    await waitFor(() => !queue.isReady(), { what: 'the loss to be noticed' });
    await expect(claim(queue, 1)).rejects.toMatchObject({ code: 'E_REDIS_UNAVAILABLE', outcomeUnknown: false });
    await redis.process.restart();
    await ready(queue);
    expect((await settle(queue, { kind: 'ack', claim: a! })).lost).toEqual([]);
    expect((await claim(queue, 1)).map((c) => c.raw.toString())).toEqual(['b']);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`Cannot connect to Redis at 127.0.0.1:${redis.port}`);
  });

  test('FLUSHALL neither wedges nor crashes: what is claimed before the lease is renewed is settled like the rest', async () => {
    const queue = await openDirect();
    await redis.client.lpush(QUEUE, 'a');
    await claim(queue, 1);
    await redis.client.flushall();
    await redis.client.lpush(QUEUE, 'b');
    const [b] = await claim(queue, 1);
    expect(b?.raw.toString()).toBe('b');
    expect(await queue.renewLease()).toBe('kept');
    expect((await settle(queue, { kind: 'ack', claim: b! })).lost).toEqual([]);
    expect((await places(redis.client)).processing).toEqual([]);
    expect(await redis.client.zscore(`{${QUEUE}}:consumers`, queue.consumer)).not.toBeNull();
  });

  test('a queue key of the wrong type is refused in words, not hung on', async () => {
    const queue = await openDirect();
    await redis.client.set(QUEUE, 'a string');
    const { claimRefusal } = await queue.exchange({ settlements: [], want: 1, inFlight: 0 });
    expect(claimRefusal).toMatch(/WRONGTYPE.*message_queue/);
    await expect(queue.claimBlocking()).rejects.toMatchObject({
      outcomeUnknown: false,
      message: expect.stringMatching(/^The key message_queue in Redis is no list: .*WRONGTYPE/) as string,
    });
  });
});
