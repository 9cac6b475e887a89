import { afterEach, expect, test } from 'vitest';
import { RedisConnection } from '../../../../src/queue/connection/connection.js';
import { systemClock as clock } from '../../../../src/shared/time/clock.js';
import { redisConfig } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { startTcpProxy } from '../../../support/tcp-proxy.js';
import { HANGS_MS } from '../../../support/wait-for.js';

const redis = useRedis();
const BYTES_PER_MS = 250;
/** Less than 1 MB takes over this link. */
const SILENCE_MS = 1_000;
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** What is written passes at 250 KB/s, replies at once. */
async function slowLink(): Promise<number> {
  const proxy = await startTcpProxy(redis.port, {
    passageOf: (client) => ({
      request: (bytes) => {
        client.pause();
        void clock.sleep(bytes.length / BYTES_PER_MS).then(() => client.resume());
        return bytes;
      },
    }),
  });
  closers.push(() => proxy.close());
  return proxy.port;
}

async function connected(port: number): Promise<{ readonly connection: RedisConnection; readonly lost: string[] }> {
  const lost: string[] = [];
  const connection = new RedisConnection(
    { redis: redisConfig(port), name: 'slow', silenceMs: SILENCE_MS, clock, random: () => 0 },
    { onLost: (reason) => void lost.push(reason) },
  );
  closers.push(() => connection.stop());
  connection.start();
  await connection.whenReady(HANGS_MS);
  return { connection, lost };
}

test('what takes long to send is no silence, and what waits behind it is not lost either', async () => {
  const { connection, lost } = await connected(await slowLink());
  const replies = await Promise.all([
    connection.call('SET', 'large', Buffer.alloc(1_000_000, 'x')),
    connection.call('STRLEN', 'large'),
  ]);
  expect(replies.map(String)).toEqual(['OK', '1000000']);
  expect(lost).toEqual([]);
});

test('a connection that falls silent is given up as before, once the large one is through', async () => {
  const { connection, lost } = await connected(await slowLink());
  await connection.call('SET', 'large', Buffer.alloc(100_000, 'x'));
  redis.process.freeze();
  try {
    await expect(connection.call('GET', 'k')).rejects.toThrow();
  } finally {
    redis.process.thaw();
  }
  expect(lost).not.toEqual([]);
});
