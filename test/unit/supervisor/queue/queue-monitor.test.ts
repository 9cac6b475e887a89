import { ReplyError as ReplyErrorClass } from 'ioredis';
import { expect, test } from 'vitest';

import { QueueMonitor } from '../../../../supervisor/queue/queue-monitor.js';
import { RedisUnavailableError } from '../../../../src/shared/errors.js';
import { testConfig } from '../../../support/program/config.js';
import { VirtualClock } from '../../../support/virtual-clock.js';
import { recordedLog } from '../recorded-log.js';
import { ScriptedAccess } from './scripted-access.js';

const ReplyError = ReplyErrorClass as new (message: string) => Error;

async function started(isUp = true) {
  const clock = new VirtualClock();
  const access = new ScriptedAccess(clock);
  access.isUp = isUp;
  const log = recordedLog();
  const monitor = new QueueMonitor({ access, settings: testConfig(), log, clock });
  await monitor.start();
  await clock.settle();
  return { clock, access, log, monitor };
}

test('it looks at once, and every two seconds', async () => {
  const { clock, access, monitor } = await started();
  expect(monitor.sight).toEqual({
    waiting: 0,
    processing: 0,
    retrying: 0,
    dead: 0,
    oldestWaitSeconds: 0,
    oldestRetryOverdueSeconds: undefined,
    retryDueInSeconds: undefined,
    pause: undefined,
  });
  access.sizes = { ...access.sizes, waiting: 7 };
  await clock.advance(1_999);
  expect(monitor.sight?.waiting).toBe(0);
  await clock.advance(1);
  expect(monitor.sight?.waiting).toBe(7);
});

test('the wait of the oldest message goes by its queued_at; without one it is not known', async () => {
  const { clock, access, monitor } = await started();
  const queuedAt = new Date(clock.wallNow() - 3_000).toISOString();
  const oldest = (fields: object): Buffer => Buffer.from(JSON.stringify({ message_id: 'm', ...fields }));
  access.sizes = { ...access.sizes, waiting: 1, oldest: oldest({ queued_at: queuedAt }) };
  await clock.advance(2_000);
  expect(monitor.sight?.oldestWaitSeconds).toBe(5);
  access.sizes = { ...access.sizes, oldest: oldest({}) };
  await clock.advance(2_000);
  expect(monitor.sight?.oldestWaitSeconds).toBeUndefined();
});

test('how late the retries are, and when the next is due, is told by the clock of Redis', async () => {
  const { clock, access, monitor } = await started();
  const from = 1_700_000_000_000;
  const look = async (firstRetryDueMs: number | undefined) => {
    access.sizes = { ...access.sizes, firstRetryDueMs, redisNow: from + clock.now() + 2_000 };
    await clock.advance(2_000);
    return [monitor.sight?.oldestRetryOverdueSeconds, monitor.sight?.retryDueInSeconds];
  };
  expect(await look(undefined)).toEqual([0, undefined]);
  expect(await look(from + clock.now() + 60_000)).toEqual([0, 58]);
  expect(await look(from + clock.now() - 5_500)).toEqual([7.5, 0]);
});

test('that Redis is away is said once, and its return with the length of the outage', async () => {
  const { clock, access, log, monitor } = await started();
  access.isUp = false;
  await clock.advance(6_000);
  expect([monitor.redisUp, monitor.sight]).toEqual([false, undefined]);
  access.isUp = true;
  await clock.advance(2_000);
  expect([monitor.redisUp, monitor.sight?.waiting]).toEqual([true, 0]);
  expect(log.lines).toEqual(['ERROR: Redis cannot be reached: it is away', 'INFO: Redis answers again after 6.0 s']);
});

test.each(['WRONGTYPE Operation against a key', "NOPERM this user can't run this command"])(
  'a Redis that refuses to count is there: %s',
  async (reply) => {
    const { clock, access, log, monitor } = await started();
    const cause = new ReplyError(reply);
    access.sizesRefusal = new RedisUnavailableError('The key q:dead:index in Redis is no sorted set', false, { cause });
    await clock.advance(8_000);
    expect([monitor.redisUp, monitor.sight, monitor.trouble]).toEqual([true, undefined, undefined]);
    await clock.advance(4_000);
    expect(monitor.trouble).toMatchObject({ duty: 'counting of messages', stops: false });
    expect(log.lines.filter((line) => !line.startsWith('DEBUG'))).toEqual([
      expect.stringMatching(/^ERROR: The counting of messages has failed .* q:dead:index in Redis is no sorted set/),
    ]);
    access.isUp = false;
    await clock.advance(2_000);
    expect([monitor.redisUp, monitor.trouble]).toEqual([false, undefined]);
    Object.assign(access, { isUp: true, sizesRefusal: undefined });
    await clock.advance(2_000);
    expect([monitor.redisUp, monitor.sight?.waiting]).toEqual([true, 0]);
  },
);

test('before the first look Redis is not accused', async () => {
  const { clock, monitor } = await started(false);
  expect(monitor.redisUp).toBe(true);
  await clock.advance(2_000);
  expect(monitor.redisUp).toBe(false);
});

test('the policy of eviction is asked for every 15 s', async () => {
  const { clock, access, monitor } = await started();
  expect(monitor.evictionPolicy).toBe('noeviction');
  access.policy = 'allkeys-lru';
  await clock.advance(14_000);
  expect(monitor.evictionPolicy).toBe('noeviction');
  await clock.advance(2_000);
  expect(monitor.evictionPolicy).toBe('allkeys-lru');
});

test('a backlog is said once, and its end when it is half gone', async () => {
  const { clock, access, log } = await started();
  for (const waiting of [5_000, 200_000, 300_000, 90_000, 200_000, 1]) {
    access.sizes = { ...access.sizes, waiting };
    await clock.advance(2_000);
  }
  expect(log.lines).toEqual([
    expect.stringMatching(/^WARNING: .*200,?000/),
    expect.stringMatching(/^INFO: The .* is over: 1 messages wait$/),
  ]);
});

test('another queue is adopted, and what was known of the old one is forgotten', async () => {
  const { clock, access, monitor } = await started();
  await monitor.adopt(testConfig({ queue: { name: 'other' } }));
  expect([monitor.sight, monitor.evictionPolicy]).toEqual([undefined, undefined]);
  expect([access.borrowed, access.released]).toEqual([['message_queue', 'other'], ['message_queue']]);
  await clock.advance(2_000);
  expect([monitor.sight?.waiting, monitor.evictionPolicy]).toEqual([0, 'noeviction']);
  await monitor.stop();
  expect(access.released).toEqual(['message_queue', 'other']);
  expect(clock.pending).toBe(0);
});

test('a pause is seen, and said once when it begins and when it is over', async () => {
  const { clock, access, log, monitor } = await started();
  access.pause = { text: '{"id":"p1","who":"anna"}', leftMs: 60_000, refusal: undefined };
  await clock.advance(10_000);
  expect(monitor.sight?.pause).toMatchObject({ id: 'p1', who: 'anna', untilMs: clock.wallNow() + 60_000 });
  access.pause = { text: undefined, leftMs: undefined, refusal: undefined };
  await clock.advance(10_000);
  expect(monitor.sight?.pause).toBeUndefined();
  expect(log.lines).toEqual([
    'WARNING: Deliveries are paused by anna until 2025-01-15T10:31:02Z; what is in flight goes on',
    'INFO: Deliveries go on: the pause is over after 10 s',
  ]);
});

test('that it cannot be seen is said once', async () => {
  const { clock, access, log } = await started();
  access.pause = { text: undefined, leftMs: undefined, refusal: 'NOPERM' };
  await clock.advance(10_000);
  expect(log.lines).toEqual(['WARNING: It cannot be seen whether deliveries are paused, so they go on: NOPERM']);
});
