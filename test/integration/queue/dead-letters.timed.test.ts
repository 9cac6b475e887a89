/** A million dead letters, of which an operator wants a few: nobody else may notice. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeadLetterFilter } from '../../../src/domain/dead-letter-filter.js';
import { redisKeys } from '../../../src/queue/keys.js';
import { withOperatorQueue, type OperatorQueue } from '../../../src/queue/operator-queue.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { QUEUE, redisConfig } from '../../support/redis/queue.js';
import { startRedis, type RedisProcess } from '../../../scripts/local/redis-process.js';

let redis: RedisProcess;
let client: Redis;
const keys = redisKeys(QUEUE);

const LETTERS = 1_000_000;
const WANTED = 200;
const STALL_MS = 20;

/** The wanted ones are the newest, at the far end for those who come from the oldest, and the other way round. */
const LOAD = `
local from, to, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for at = from, to do
  local reason = at > wanted and 'poison' or 'malformed'
  local unique = string.format('0123456789ab-%d', at)
  local message = string.format('{\\\\"message_id\\\\":\\\\"m%d\\\\",\\\\"client_id\\\\":\\\\"c%d\\\\"}', at, at % 1000)
  redis.call('ZADD', KEYS[1], at * 1000, string.format('%s %s m%d c%d d', unique, reason, at, at % 1000))
  redis.call('HSET', KEYS[2], unique, '{"dead_at":"2025-01-15T10:30:45.123Z","reason":"' .. reason ..
    '","error":"HTTP 503","attempt_count":7,"worker_id":"worker-1","message":"' .. message .. '"}')
end
`;

beforeAll(async () => {
  redis = await startRedis();
  client = new Redis({ port: redis.port, host: '127.0.0.1' });
  for (let from = 1; from <= LETTERS; from += 10_000) {
    await client.eval(LOAD, 2, keys.deadIndex, keys.deadLetters, from, from + 9_999, LETTERS - WANTED);
  }
});

afterAll(async () => {
  client.disconnect();
  await redis.stop();
});

interface Measured<T> {
  readonly result: T;
  readonly tookMs: number;
  /** The longest command, by Redis's own clock. */
  readonly longestMs: number;
}

async function measured<T>(use: (queue: OperatorQueue) => Promise<T>): Promise<Measured<T>> {
  await client.config('SET', 'slowlog-log-slower-than', 1_000);
  await client.config('SET', 'slowlog-max-len', 10_000);
  await client.slowlog('RESET');
  const startedAt = performance.now();
  const config = { redis: redisConfig(redis.port), queue: { name: QUEUE, reliable: true } };
  const result = await withOperatorQueue(config, systemClock, use);
  const tookMs = performance.now() - startedAt;
  const slow = (await client.slowlog('GET', 10_000)) as [number, number, number][];
  return { result, tookMs, longestMs: Math.max(0, ...slow.map(([, , micros]) => micros / 1_000)) };
}

const page = (filter: DeadLetterFilter, budgetMs = 100) =>
  measured(({ deadLetters }) => deadLetters.list({ filter, limit: 50, budgetMs }, ({ messageId }) => messageId));

test('the first page comes within 100 ms', async () => {
  await page({});
  const { result, tookMs, longestMs } = await page({});
  expect(result).toMatchObject({ total: LETTERS, hasMore: true });
  expect(result.entries).toHaveLength(50);
  expect(tookMs).toBeLessThan(100);
  expect(longestMs).toBeLessThan(STALL_MS);
});

test.each<DeadLetterFilter>([{ reason: 'malformed' }, { text: 'nowhere' }])(
  'a page of %j says within its time how far it has looked, and goes on from there',
  async (filter) => {
    const first = await page(filter);
    expect(first.tookMs).toBeLessThan(300);
    expect(first.longestMs).toBeLessThan(STALL_MS);
    expect(first.result.looked).toBeGreaterThan(2_000);
    const { cursor } = first.result;
    const next = await measured(({ deadLetters }) =>
      deadLetters.list({ filter, limit: 50, budgetMs: 1, ...(cursor === undefined ? {} : { after: cursor }) }, () => 0),
    );
    expect(next.result.looked).toBeGreaterThan(first.result.looked);
  },
);

test('one is found by its message id within 5 s', async () => {
  const { result, tookMs, longestMs } = await measured(({ deadLetters }) => deadLetters.find('m1', { whole: false }));
  expect(result).toMatchObject({ place: LETTERS, messageId: 'm1' });
  expect(tookMs).toBeLessThan(5_000);
  expect(longestMs).toBeLessThan(STALL_MS);
});

test('200 at the far end are purged within 5 s, and no command of it holds Redis for 20 ms', async () => {
  const { result, tookMs, longestMs } = await measured(({ deadLetters }) =>
    deadLetters.purge({ filter: { reason: 'poison' }, dryRun: false }),
  );
  expect(result).toEqual({ seen: LETTERS, total: LETTERS, meant: WANTED, done: WANTED, unreadable: 0 });
  expect(tookMs).toBeLessThan(5_000);
  expect(longestMs).toBeLessThan(STALL_MS);
  expect(await client.hlen(keys.deadLetters)).toBe(LETTERS - WANTED);
});

test('10,000 are replayed, and no command of it holds Redis for 20 ms', async () => {
  const filter = { ids: Array.from({ length: 1 }, () => 'm5'), reason: 'malformed' };
  expect((await measured(({ deadLetters }) => deadLetters.replay({ filter, dryRun: false }))).longestMs).toBeLessThan(
    STALL_MS,
  );
  const { result, longestMs } = await measured(({ deadLetters }) =>
    deadLetters.replay({ filter: { olderThanMs: systemClock.wallNow() - 10_000_500 }, dryRun: false }),
  );
  expect(result).toMatchObject({ done: 9_999 });
  expect(longestMs).toBeLessThan(STALL_MS);
  expect(await client.llen(QUEUE)).toBe(10_000);
});

test('a list of an earlier version is emptied in steps that hold Redis for less than 20 ms', async () => {
  const letters = Array.from({ length: 5_000 }, (_, at) => JSON.stringify({ reason: 'poison', message: `{"n":${at}}` }));
  await client.lpush(keys.dead, ...letters);
  const { result, longestMs } = await measured(({ deadLetters }) =>
    deadLetters.purge({ filter: { ids: ['nobody'] }, dryRun: true }),
  );
  expect(result.meant).toBe(0);
  expect(await client.exists(keys.dead)).toBe(0);
  expect(longestMs).toBeLessThan(STALL_MS);
});
