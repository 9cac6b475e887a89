/** How soon the queue notices that nobody answers any more, and that somebody does again. */
import { afterEach, expect, test } from 'vitest';
import { crowded } from '../../../support/crowding.js';
import { claim, openQueue } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { startTcpProxy } from '../../../support/tcp-proxy.js';
import { waitFor } from '../../../support/wait-for.js';

const redis = useRedis();
const cleanUp: (() => Promise<void>)[] = [];
const unknownOutcome = { code: 'E_REDIS_UNAVAILABLE', outcomeUnknown: true };

afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

async function queueAt(port: number) {
  const queue = await openQueue(port);
  cleanUp.push(() => queue.stop());
  return queue;
}

const blocked = () =>
  waitFor(async () => (await redis.client.info('clients')).includes('blocked_clients:1'), { what: 'the pop to block' });

test('a pop under way rejects at once when the connection is reset', async () => {
  const proxy = await startTcpProxy(redis.port);
  cleanUp.push(() => proxy.close());
  const queue = await queueAt(proxy.port);
  const waiting = queue.claimBlocking();
  await blocked();
  const startedAt = performance.now();
  proxy.dropConnections('reset');
  await expect(waiting).rejects.toMatchObject(unknownOutcome);
  expect(performance.now() - startedAt).toBeLessThan(crowded(500));
});

test('a frozen Redis is noticed within block time plus 2 s, and served within 2 s of its thaw', async () => {
  const queue = await queueAt(redis.port);
  const waiting = queue.claimBlocking();
  await blocked();
  const frozenAt = performance.now();
  redis.process.freeze();
  try {
    await expect(waiting).rejects.toMatchObject(unknownOutcome);
    expect(performance.now() - frozenAt).toBeLessThan(crowded(4_000));
  } finally {
    redis.process.thaw();
  }
  const thawedAt = performance.now();
  await waitFor(() => queue.isReady(), { what: 'the queue to be ready again' });
  expect(performance.now() - thawedAt).toBeLessThan(crowded(2_000));
});

test('a host that takes connections and says nothing is left for another within 3 s of its name leading there', async () => {
  const proxy = await startTcpProxy(redis.port);
  cleanUp.push(() => proxy.close());
  const queue = await queueAt(proxy.port);
  await proxy.setMode('blackhole');
  const before = proxy.accepted;
  await expect(claim(queue, 1)).rejects.toMatchObject(unknownOutcome);
  await waitFor(() => proxy.accepted > before + 1, { what: 'attempts that nobody answers' });
  // what is open stays silent, what is made from now on is served
  proxy.silenceConnections();
  await proxy.setMode('pass');
  const movedAt = performance.now();
  await waitFor(() => queue.isReady(), { what: 'the queue to be ready again' });
  expect(performance.now() - movedAt).toBeLessThan(crowded(3_000));
});

test('connections that fall silent are both replaced when the first shows it, the one that was not in use, too', async () => {
  const proxy = await startTcpProxy(redis.port);
  cleanUp.push(() => proxy.close());
  const queue = await queueAt(proxy.port);
  proxy.silenceConnections();
  const silentAt = performance.now();
  await expect(claim(queue, 1)).rejects.toMatchObject(unknownOutcome);
  await waitFor(() => queue.isReady(), { what: 'new connections' });
  // 3 s for the first; the other would be believed dead 3 s after its next command
  expect(performance.now() - silentAt).toBeLessThan(crowded(5_000));
});
