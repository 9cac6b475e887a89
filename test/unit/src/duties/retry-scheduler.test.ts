import { afterEach, expect, test } from 'vitest';
import { createRetryScheduler } from '../../../../src/duties/retry-scheduler.js';
import type { PromotionClock, RetryQueue } from '../../../../src/queue/background-queue.js';
import type { Life } from '../../../../src/shared/life.js';
import { recordedLog } from '../../../support/recorded-log.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

const RETRY_MS = 30_000;
const duties: Life[] = [];
afterEach(() => Promise.all(duties.splice(0).map((duty) => duty.stop())));

/** A set of retries in which nothing is due, beside a clock of Redis that the test sets. */
function watched() {
  const clock = new VirtualClock();
  const log = recordedLog();
  const asked: PromotionClock[] = [];
  const walks: { from: number; backMs: number }[] = [];
  const pages: { kept: number; changed: number }[] = [];
  const redis = { aheadMs: 0 };
  const queue: RetryQueue = {
    retryKey: 'retry',
    isReady: () => true,
    async promoteDue(_, promotionClock = {}) {
      asked.push(promotionClock);
      const redisNow = clock.now() + redis.aheadMs;
      return { moved: 0, messageIds: [], nextDueMs: undefined, foreign: 0, redisNow };
    },
    async setRight({ from, backMs }) {
      walks.push({ from, backMs });
      return { kept: 0, changed: 0, foreign: 0, ...pages.shift() };
    },
    setAside: async () => ({ moved: 0, isOver: true }),
  };
  const duty = createRetryScheduler({ queue, retryIntervalMs: RETRY_MS, clock, log });
  duties.push(duty);
  return { clock, log, asked, walks, pages, redis, duty };
}

test('looks once at the start whether retries were put off while nobody ran', async () => {
  const { clock, walks, pages, duty, log } = watched();
  pages.push({ kept: 1, changed: 199 }, { kept: 200, changed: 0 });
  void duty.start();
  await clock.advance(60_000);
  expect(walks).toEqual([
    { from: 0, backMs: 0 },
    { from: 1, backMs: 0 },
  ]);
  expect(log.lines).toEqual([]);
});

test('a clock that is set back is one WARNING, and every retry is looked at', async () => {
  const { clock, walks, pages, redis, duty, log, asked } = watched();
  void duty.start();
  await clock.advance(2_000);
  walks.length = 0;
  redis.aheadMs = -3_600_000;
  pages.push({ kept: 200, changed: 0 }, { kept: 150, changed: 50 }, { kept: 10, changed: 0 });
  await clock.advance(60_000);
  expect(walks.map(({ from }) => from)).toEqual([0, 200, 350, 360]);
  expect(walks[0]?.backMs).toBeCloseTo(3_600_000, -3);
  expect(log.lines).toEqual([expect.stringMatching(/^WARNING The clock of Redis was set back by 3600.0 s/)]);
  expect(asked.at(-1)?.setBack).toEqual([]);
});

test('after a step shorter than the interval retries from before it fall due as they were to, for one interval', async () => {
  const { clock, redis, duty, asked } = watched();
  void duty.start();
  await clock.advance(2_000);
  redis.aheadMs = -20_000;
  await clock.advance(1_000);
  expect(asked.at(-1)?.setBack).toMatchObject([{ byMs: 20_000 }]);
  expect(asked.at(-1)?.setBack?.[0]?.before).toBeCloseTo(2_000 - 20_000, -2);
  redis.aheadMs = -25_000;
  await clock.advance(1_000);
  expect(asked.at(-1)?.setBack).toMatchObject([{ byMs: 25_000 }, { byMs: 5_000 }]);
  await clock.advance(RETRY_MS);
  expect(asked.at(-1)?.setBack).toEqual([]);
});

test('a clock that is set ahead makes no retry early: one WARNING, and the old reckoning for one interval', async () => {
  const { clock, redis, duty, log, asked } = watched();
  void duty.start();
  await clock.advance(2_000);
  redis.aheadMs = 3_600_000;
  await clock.advance(RETRY_MS - 1_000);
  expect(asked.at(-1)?.latest).toBeLessThan(clock.now() + 1_000);
  expect(log.lines).toEqual([expect.stringMatching(/^WARNING The clock of Redis was set ahead by 3600.0 s/)]);
  await clock.advance(3_000);
  expect(asked.at(-1)?.latest).toBeGreaterThan(3_600_000);
});
