/** The counts of failed attempts by the hour, the sweep of those that nobody needs, and the bound of all side books. */
import { expect, test } from 'vitest';
import { OTHER_FAILURES, type CountedFailures } from '../../../../src/domain/failures/failure-group.js';
import { failureLine } from '../../../../src/domain/failures/failed-attempt.js';
import { hourOf } from '../../../../src/domain/failures/hours.js';
import { createFailureSweep } from '../../../../src/duties/failure-sweep.js';
import { FailureCounts } from '../../../../src/duties/failure-counts.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { recordedLog } from '../../../support/recorded-log.js';
import { claim, message, QUEUE, settle } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import { useOperator, useQueues } from '../queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);
const asOperator = useOperator(redis);
const keys = redisKeys(QUEUE);
const HOUR = '2025-01-15T10';
const AT = Date.UTC(2025, 0, 15, 10, 30);
const DAY_MS = 86_400_000;

function counted(client: string, attempts = 1, at = AT): CountedFailures {
  const group = { reason: 'http_503', status: 503, client, domain: undefined };
  return { group, attempts, first: at, last: at, messageId: `of ${client}` };
}

const readBack = () => asOperator(({ failureCounts }) => failureCounts({ since: AT, now: AT }));

test('counts of several workers are added up, with the first, the last and its example', async () => {
  const { background } = await queueOf();
  expect(await background.countFailures(HOUR, [counted('c 1', 2, AT + 5), counted('c2')])).toBe(true);
  expect(await background.countFailures(HOUR, [{ ...counted('c 1', 3, AT), messageId: 'earlier' }])).toBe(true);
  expect(await readBack()).toEqual([{ ...counted('c 1', 5), first: AT, last: AT + 5 }, counted('c2')]);
  const days = (await redis.client.ttl(keys.failuresIn(HOUR))) / 86_400;
  expect(Math.round(days)).toBe(8);
});

test('of more than a thousand groups in an hour the rest is one', async () => {
  const { background } = await queueOf();
  const clients = Array.from({ length: 1_200 }, (_, number) => counted(`c${number}`));
  for (let at = 0; at < 1_200; at += 400) await background.countFailures(HOUR, clients.slice(at, at + 400));
  await background.countFailures(HOUR, [counted('c0')]);
  const counts = await readBack();
  expect(counts).toHaveLength(1_001);
  expect(counts.find(({ group }) => !group)?.attempts).toBe(200);
  expect(await redis.client.hget(keys.failuresIn(HOUR), OTHER_FAILURES)).toMatch(/^200 /);
});

test('a worker writes what it has counted, and the rest as it stops', async () => {
  const { background } = await queueOf();
  const log = recordedLog();
  const skipped: unknown[] = [];
  const metrics = { skipped: (what: string, count: number) => void skipped.push([what, count]) };
  const counts = new FailureCounts({ retryIntervalMs: 30_000, queue: background, metrics, clock: systemClock, log });
  const failure = { at: AT, messageId: 'm', reason: 'timeout', status: undefined, client: 'c', domain: 'd' };
  counts.note(failure);
  await waitFor(async () => (await readBack()).length === 1, { what: 'the counts' });
  counts.note(failure);
  await counts.stop();
  expect(await readBack()).toMatchObject([{ attempts: 2 }]);
  expect([skipped, log.lines]).toEqual([[], []]);
});

test('what Redis refuses is left out, counted, and said once', async () => {
  const { background } = await queueOf();
  const log = recordedLog();
  const skipped: unknown[] = [];
  const metrics = { skipped: (what: string, count: number) => void skipped.push([what, count]) };
  await redis.client.set(keys.failuresIn(HOUR), 'of another program');
  for (let time = 0; time < 2; time += 1) {
    const counts = new FailureCounts({ retryIntervalMs: 30_000, queue: background, metrics, clock: systemClock, log });
    counts.note({ at: AT, messageId: 'm', reason: 'timeout', status: undefined, client: 'c', domain: 'd' });
    await counts.stop();
  }
  expect(skipped).toEqual([
    ['failure_count', 1],
    ['failure_count', 1],
  ]);
  expect(log.lines[0]).toMatch(/^WARNING What fails is not counted by the hour: The key .* is no hash/);
});

test('the sweep forgets those that have not failed for a day and two intervals, once an hour in the whole fleet', async () => {
  const [one, other] = [(await queueOf()).background, (await queueOf('worker-2')).background];
  const now = systemClock.wallNow();
  const line = (at: number) =>
    failureLine({ at, reason: 'timeout', status: undefined, answer: undefined, workerId: 'w' });
  const old = now - DAY_MS - 61_000;
  for (let number = 0; number < 500; number += 1) await redis.client.hset(keys.failures, `old ${number}`, line(old));
  await redis.client.hset(keys.failures, {
    foreign: 'of another program',
    young: line(now - DAY_MS),
    'failed again': `${line(old)}\n${line(now)}`,
  });
  const sweeps = [one, other].map((queue) =>
    createFailureSweep({ queue, retryIntervalMs: 30_000, clock: systemClock, log: recordedLog() }),
  );
  for (const sweep of sweeps) void sweep.start();
  await waitFor(async () => (await redis.client.hlen(keys.failures)) === 2, { what: 'the end of the sweep' });
  await Promise.all(sweeps.map((sweep) => sweep.stop()));
  expect((await redis.client.hkeys(keys.failures)).sort()).toEqual(['failed again', 'young']);
  expect(await one.takeFailureSweep()).toBe(false);
});

test('whose messages have no client_id is nobody', async () => {
  const { background } = await queueOf();
  const options = {
    retryIntervalMs: 30_000,
    queue: background,
    metrics: { skipped: () => undefined },
    clock: systemClock,
  };
  const counts = new FailureCounts({ ...options, log: recordedLog() });
  const failure = { at: AT, messageId: 'm', reason: 'http_422', status: 422, client: '', domain: undefined };
  counts.note(failure);
  counts.delivered('');
  expect(counts.failing.clients).toMatchObject([{ client: undefined, failed: 1, delivered: 1 }]);
  await counts.stop();
});

test('side books that are full grow no more, and that is said', async () => {
  const queue = await queueOf('worker-1', { sideBooksMaxBytes: 100_000 });
  await redis.client.hset(keys.failuresIn(hourOf(systemClock.wallNow())), 'f', 'x'.repeat(200_000));
  expect(await queue.background.countFailures(HOUR, [counted('c')])).toBe(false);
  expect(Number(await redis.client.get(keys.sideBooks))).toBeGreaterThan(200_000);
  await redis.client.lpush(QUEUE, message('a', 0));
  const [one] = await claim(queue, 1);
  const { skipped, refused } = await settle(queue, {
    kind: 'retry',
    claim: one!,
    message: one!.raw,
    messageId: 'a',
    delayMs: 1_000,
    failure: '{}',
  });
  expect(refused).toEqual([]);
  expect(skipped?.failures).toEqual({ count: 1, reason: 'the side books are full (REDIS_SIDE_BOOKS_MAX)' });
});
