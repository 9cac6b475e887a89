import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { createRetryScheduler } from '../../../src/duties/retry-scheduler.js';
import type { RedisQueue } from '../../../src/queue/claims/claims-and-settlements.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { recordedLog } from '../../support/recorded-log.js';
import { claim, QUEUE, settle } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { useQueues } from './queues.js';

/** A step of Redis's clock, as seen from the retries: their due times are further away, or nearer, than they were. */
const redis = useRedis();
const queueOf = useQueues(redis);
const RETRY = `{${QUEUE}}:retry`;
const HOUR_MS = 3_600_000;

async function redisNow(): Promise<number> {
  const [seconds = 0, micros = 0] = (await redis.client.time()).map(Number);
  return seconds * 1_000 + Math.floor(micros / 1_000);
}

let members = 0;
/** A retry that is due `inMs` from now by its score, which is returned. */
async function retry(text: string, intervalMs: number, inMs: number): Promise<number> {
  const member = `0123456789ab${members++} id ${intervalMs}:${text}`;
  const score = (await redisNow()) + inMs;
  await redis.client.zadd(RETRY, score, member);
  return score;
}

async function scores(): Promise<{ [text: string]: number }> {
  const scored = await redis.client.zrange(RETRY, '0', '-1', 'WITHSCORES');
  return Object.fromEntries(
    scored.flatMap((member, at) => (at % 2 === 0 ? [[member.split(':')[1], Number(scored[at + 1])]] : [])),
  ) as { [text: string]: number };
}

test('a retry carries its interval, and earlier builds find its message behind the first colon', async () => {
  const queue = await queueOf();
  await redis.client.lpush(QUEUE, 'a');
  const [a] = await claim(queue, 1);
  await settle(queue, {
    kind: 'retry',
    claim: a!,
    message: Buffer.from('a:1'),
    messageId: 'id:1 ü',
    delayMs: 29_999.5,
  });
  const [member] = await redis.client.zrange(RETRY, '0', '-1');
  expect(member).toMatch(/^[0-9a-f]{12}\w+ id%3A1%20%C3%BC 30000:a:1$/);
});

describe('after the clock went back', () => {
  test('no retry waits longer than its own interval; those in order stay as they are', async () => {
    const queue = await queueOf();
    const soon = await retry('soon', 30_000, 5_000);
    const late = await retry('late', 30_000, HOUR_MS + 10_000);
    await retry('other interval', 1_000, HOUR_MS + 500);
    await redis.client.zadd(RETRY, 'inf', '0123456789abx id 2000:never');
    await redis.client.zadd(RETRY, (await redisNow()) + HOUR_MS, 'abcdefabcdef1 id:of an earlier build');
    expect(await queue.background.setRight({ from: 0, limit: 100, backMs: HOUR_MS })).toMatchObject({
      changed: 3,
      foreign: 0,
    });
    const now = await redisNow();
    const due = await scores();
    expect(due['soon']).toBe(soon);
    expect(due['late']).toBeLessThanOrEqual(now + 10_001);
    expect(due['late']).toBeGreaterThanOrEqual(late - HOUR_MS);
    expect(due['other interval']).toBeLessThanOrEqual(now + 501);
    expect(due['never']).toBeLessThanOrEqual(now + 2_001);
    // as if it had been scheduled now, with the rest
    const members = await redis.client.zrange(RETRY, '0', '-1');
    expect(members.filter((member) => /^0123456789ab\d+ id (10000|9\d\d\d):late$/.test(member))).toHaveLength(1);
    // a second promoter finds nothing to do
    expect((await queue.background.setRight({ from: 0, limit: 100, backMs: HOUR_MS })).changed).toBe(0);
  });

  test('not known by how far: its interval from now', async () => {
    const queue = await queueOf();
    await retry('late', 30_000, HOUR_MS + 10_000);
    const before = await redisNow();
    await queue.background.setRight({ from: 0, limit: 100, backMs: 0 });
    const after = await redisNow();
    const { late } = await scores();
    expect(late).toBeLessThanOrEqual(after + 30_001);
    expect(late).toBeGreaterThanOrEqual(before + 30_000);
  });

  test('in two steps that were seen as one: what was scheduled between them is not early', async () => {
    const queue = await queueOf();
    await retry('between', 30_000, HOUR_MS + 29_700);
    await retry('from before', 30_000, 2 * HOUR_MS + 10_000);
    const before = await redisNow();
    await queue.background.setRight({ from: 0, limit: 100, backMs: 2 * HOUR_MS });
    const [member = '', score] = await redis.client.zrange(RETRY, '-1', '-1', 'WITHSCORES');
    expect(member).toContain(':between');
    expect(Number(score)).toBeGreaterThanOrEqual(before + 30_000);
  });

  test('twice by less than an interval: each retry is due as it was, those from after are not early', async () => {
    const queue = await queueOf();
    const now = await redisNow();
    // so far apart that none falls due while the test runs
    const setBack = [
      { before: now - 400_000, byMs: 1_500_000 },
      { before: now - 200_000, byMs: 500_000 },
    ];
    await retry('from before both, due', 3_000_000, 1_400_000);
    await retry('from before both, not due', 3_000_000, 1_600_000);
    await retry('from between, due', 600_000, 300_000);
    await retry('from between, not due', 3_000_000, 2_700_000);
    await retry('from after', 3_000_000, 2_900_000);
    await retry('from after, soon', 1_000_000, 900_000);
    // one that has not seen the last step yet
    expect((await queue.background.promoteDue(10, { setBack, earliest: now + 3_600_000 })).moved).toBe(0);
    expect((await queue.background.promoteDue(10, { setBack, earliest: now })).moved).toBe(2);
    expect(await redis.client.lrange(QUEUE, 0, -1)).toEqual(['from before both, due', 'from between, due']);
  });

  test('once by less than its interval, then so far that it is set right: by both', async () => {
    const queue = await queueOf();
    const late = await retry('late', 30_000, HOUR_MS + 25_000);
    const setBackBefore = [{ before: late - 30_000 + 1, byMs: 5_000 }];
    await queue.background.setRight({ from: 0, limit: 100, backMs: HOUR_MS, setBackBefore });
    expect((await scores())['late']).toBe(late - HOUR_MS - 5_000);
  });

  test('a scheduler that starts afterwards sets them right, thousands too', async () => {
    const queue: RedisQueue = await queueOf();
    for (let n = 0; n < 1_000; n += 1) await retry(`m${n}`, 300, HOUR_MS + n);
    const log = recordedLog();
    const duty = createRetryScheduler({ queue: queue.background, retryIntervalMs: 300, clock: systemClock, log });
    await duty.start();
    await waitFor(async () => (await redis.client.llen(QUEUE)) === 1_000, { what: 'all retries' });
    await duty.stop();
    expect(log.count(/^(WARNING|ERROR)/)).toBe(0);
  });
});

test('what is due only because the clock went ahead is left', async () => {
  const queue = await queueOf();
  const now = await redisNow();
  await retry('due', 30_000, -HOUR_MS - 1_000);
  await retry('early', 30_000, -HOUR_MS + 10_000);
  const promotion = await queue.background.promoteDue(10, { latest: now - HOUR_MS });
  expect(promotion.moved).toBe(1);
  expect(promotion.redisNow).toBeGreaterThanOrEqual(now);
  expect(await redis.client.lrange(QUEUE, 0, -1)).toEqual(['due']);
});

test('large retries are moved a megabyte at a time, one larger message alone', async () => {
  const queue = await queueOf();
  for (let n = 0; n < 5; n += 1) await retry('x'.repeat(700_000), 30_000, -10_000 + n);
  await retry('y'.repeat(3_000_000), 30_000, -20_000);
  await retry('small', 30_000, -1);
  const moved: number[] = [];
  while ((await redis.client.zcard(RETRY)) > 0) moved.push((await queue.background.promoteDue(200)).moved);
  expect(moved).toEqual([1, 2, 2, 2]);
});
