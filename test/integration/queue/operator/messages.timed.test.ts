/** A million messages wait, and an operator looks for one of them: nobody else may notice. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis, type RedisProcess } from '../../../../scripts/local/redis-process.js';
import type { MessageFilter } from '../../../../src/domain/filter/message-filter.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import { withOperatorQueue, type OperatorQueue } from '../../../../src/queue/operator-queue.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { QUEUE, queueConfig, redisConfig } from '../../../support/redis/queue.js';

let redis: RedisProcess;
let client: Redis;
const keys = redisKeys(QUEUE);

const MESSAGES = 1_000_000;
const RETRIES = 100_000;
const STALL_MS = 20;

/** As long as those of the system are, 330 bytes; the last ones are the newest. */
const LOAD = `
local retry, message = #KEYS == 2, string.rep('Hello, this is what somebody writes. ', 4)
for at = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local raw = string.format('{"message_id":"7d0f2a64-5a1b-4c55-9a39-%012d","client_id":"client-%d","domain":"example.org",' ..
    '"sender_number":"+491511234567","message_body":"%s","attempt_count":0,"queued_at":"2026-01-15T10:30:45.123Z"}', at, at % 1000, message)
  if retry then redis.call('ZADD', KEYS[2], 5000, string.format('0123456789ab%07d id 30000:%s', at, raw))
  else redis.call('LPUSH', KEYS[1], raw) end
end
`;

const idOf = (at: number): string => `7d0f2a64-5a1b-4c55-9a39-${String(at).padStart(12, '0')}`;

beforeAll(async () => {
  redis = await startRedis();
  client = new Redis({ port: redis.port, host: '127.0.0.1' });
  for (let from = 1; from <= MESSAGES; from += 10_000) await client.eval(LOAD, 1, QUEUE, from, from + 9_999);
  for (let from = 1; from <= RETRIES; from += 10_000) {
    await client.eval(LOAD, 2, QUEUE, keys.retry, MESSAGES + from, MESSAGES + from + 9_999);
  }
});

afterAll(async () => {
  client.disconnect();
  await redis.stop();
});

interface Measured<T> {
  readonly result: T;
  readonly tookMs: number;
  /** Of Redis and of this process, which take turns: what it takes on a machine that does nothing else. */
  readonly cpuMs: number;
  /** Of Redis alone, per script: what everybody else waits for. */
  readonly stepMs: number;
}

async function measured<T>(use: (queue: OperatorQueue) => Promise<T>): Promise<Measured<T>> {
  const config = { redis: redisConfig(redis.port), queue: queueConfig() };
  const before = await usage();
  const startedAt = performance.now();
  const result = await withOperatorQueue(config, systemClock, use);
  const tookMs = performance.now() - startedAt;
  const after = await usage();
  const redisMs = after.redisMs - before.redisMs;
  const steps = after.steps - before.steps;
  return { result, tookMs, cpuMs: redisMs + after.ownMs - before.ownMs, stepMs: redisMs / Math.max(1, steps) };
}

async function usage() {
  const info = `${await client.info('cpu')}${await client.info('commandstats')}`;
  const number = (pattern: RegExp): number => Number(pattern.exec(info)?.[1] ?? 0);
  const own = process.cpuUsage();
  return {
    redisMs: 1_000 * (number(/used_cpu_user:([\d.]+)/) + number(/used_cpu_sys:([\d.]+)/)),
    ownMs: (own.user + own.system) / 1_000,
    steps: number(/cmdstat_evalsha:calls=(\d+)/),
  };
}

test.each([
  ['the oldest that waits', idOf(1), 1],
  ['a retry', idOf(MESSAGES + RETRIES), 1],
  ['one that is nowhere', 'nobody', 0],
])('%s is found within 5 s, in steps of less than 20 ms', async (_name, id, copies) => {
  const { result, cpuMs, stepMs } = await measured(async ({ messages }) => (await messages.find(id)).length);
  expect(result).toBe(copies);
  expect(cpuMs).toBeLessThan(5_000);
  expect(stepMs).toBeLessThan(STALL_MS);
});

test.each<MessageFilter>([{}, { places: ['retry'] }, { places: ['waiting'] }])(
  'the first page of %j comes within 100 ms',
  async (filter) => {
    const pages = [];
    for (let round = 0; round < 5; round += 1) {
      pages.push(await measured(({ messages }) => messages.list({ filter, limit: 50, budgetMs: 100 }, () => 0)));
    }
    expect(Math.max(...pages.map(({ result }) => result.entries.length))).toBe(50);
    expect(Math.min(...pages.map(({ tookMs }) => tookMs))).toBeLessThan(100);
    expect(Math.min(...pages.map(({ stepMs }) => stepMs))).toBeLessThan(STALL_MS);
  },
);

test.each<MessageFilter>([{ text: 'nowhere' }, { olderThanMs: 0, untilMs: 0 }, { reason: 'http_503' }])(
  'a page of what is rare, %j, says within its time how far it has looked',
  async (filter) => {
    const query = { filter: { ...filter, places: ['waiting'] as const }, limit: 50, budgetMs: 100 };
    const { result, cpuMs, stepMs } = await measured(({ messages }) => messages.list(query, () => 0));
    expect(result.entries).toEqual([]);
    expect(result.next).toBeDefined();
    expect(cpuMs).toBeLessThan(400);
    expect(stepMs).toBeLessThan(STALL_MS);
  },
);
