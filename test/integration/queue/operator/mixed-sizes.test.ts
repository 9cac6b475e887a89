/** Nobody can tell how large an entry is before it is read: what lies behind small ones must not all be read at once. */
import { expect, test } from 'vitest';
import { redisKeys } from '../../../../src/queue/keys.js';
import { expectNoLeftovers } from '../../../support/program/leftovers.js';
import { QUEUE } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import { useOperator } from '../queues.js';

expectNoLeftovers();
const redis = useRedis();
const onQueue = useOperator(redis);
const keys = redisKeys(QUEUE);

const SMALL = 400;
const LARGE = 30;
const LARGE_BYTES = 300_000;
/** Four of them, and small ones. */
const MOST_BYTES = 5 * LARGE_BYTES;

/** Many small ones before many large ones, and as many small ones behind. */
const messages = Array.from({ length: 2 * SMALL + LARGE }, (_, at) => {
  const isLarge = at >= SMALL && at < SMALL + LARGE;
  const client = at % 10 === 0 && !isLarge ? 'gone' : 'kept';
  return JSON.stringify({ message_id: `m${at}`, client_id: client, body: isLarge ? 'x'.repeat(LARGE_BYTES) : '' });
});

async function fill(place: 'waiting' | 'retry'): Promise<void> {
  const { client } = redis;
  for (const [at, text] of messages.entries()) {
    if (place === 'waiting') await client.rpush(QUEUE, text);
    else await client.zadd(keys.retry, Date.now() + 60_000 + at, `0123456789ab${at} m${at} 30000:${text}`);
  }
}

/** What scripts read of a place meanwhile: bytes of each read. */
async function readsDuring(command: 'LRANGE' | 'ZRANGE', work: () => Promise<unknown>): Promise<readonly number[]> {
  const monitor = await redis.client.duplicate().monitor();
  const reads: number[] = [];
  let isOver = false;
  monitor.on('monitor', (_time: string, [name = '', key = '', from, to]: readonly string[]) => {
    const isRange = name.toUpperCase() === command && (key === QUEUE || key === keys.retry);
    if (isRange) reads.push(messages.slice(Number(from), Number(to) + 1).join('').length);
    if (name.toUpperCase() === 'ECHO') isOver = true;
  });
  try {
    await work();
    await redis.client.echo('over');
    await waitFor(() => isOver, { what: 'all commands to be told' });
  } finally {
    monitor.disconnect();
  }
  return reads;
}

test.each([
  ['waiting', 'LRANGE'],
  ['retry', 'ZRANGE'],
] as const)('a walk over what is %s reads few large ones at once', async (place, command) => {
  await fill(place);
  const seen: (string | undefined)[] = [];
  const reads = await readsDuring(command, () =>
    onQueue(async ({ messages: all }) => {
      for await (const { found } of all.walk(place, { filter: {} })) seen.push(...found.map((one) => one.messageId));
    }),
  );
  expect(seen).toEqual(messages.map((_, at) => `m${at}`));
  expect(reads.length).toBeGreaterThan(10);
  expect(Math.max(...reads)).toBeLessThan(MOST_BYTES);
});

test('a cancel of waiting messages reads few large ones at once that lie between those that are meant', async () => {
  await fill('waiting');
  const reads = await readsDuring('LRANGE', () =>
    onQueue(async ({ actions }) => {
      expect((await actions.cancel({ filter: { client: 'gone' }, dryRun: false })).done).toBe(SMALL / 5);
    }),
  );
  expect(reads.length).toBeGreaterThan(10);
  expect(Math.max(...reads)).toBeLessThan(MOST_BYTES);
});
