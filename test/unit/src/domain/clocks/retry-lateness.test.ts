import { expect, test } from 'vitest';
import { RetryLateness } from '../../../../../src/domain/clocks/retry-lateness.js';

const INTERVAL_MS = 30_000;
const START = Date.UTC(2025, 0, 15);

/** Looks every 2 s; `due` = by a clock of Redis that starts at START, `ahead` = what it has been set by. */
function looking() {
  const lateness = new RetryLateness(INTERVAL_MS);
  let at = 0;
  return (due: number | undefined, ahead = 0): number | undefined => {
    at += 2_000;
    const firstDueMs = due === undefined ? undefined : START + due;
    return lateness.look({ sentAt: at, heardAt: at, redisNow: START + at + ahead, firstDueMs });
  };
}

test('nothing is late before it is due, or when nothing is there', () => {
  const look = looking();
  expect([look(undefined), look(10_000), look(6_000)]).toEqual([0, 0, 0]);
});

test('the first is late from when it is due', () => {
  const look = looking();
  expect([look(1_000), look(1_000), look(1_000)]).toEqual([1_000, 3_000, 5_000]);
});

test('a clock that is set ahead makes nothing late, for as long as retries go by the old reckoning', () => {
  const look = looking();
  look(20_000);
  expect([look(20_000, 3_600_000), look(20_000, 3_600_000)]).toEqual([0, 0]);
});

test('what stands there when the clock is set ahead is late once that is over', () => {
  const look = looking();
  look(20_000);
  const late = Array.from({ length: 20 }, () => look(20_000, 3_600_000) ?? 0);
  expect(Math.max(...late.slice(0, 8))).toBe(0);
  expect(late.at(-1)).toBeGreaterThan(3_600_000);
});

test('a clock that is not told leaves it unknown', () => {
  const lateness = new RetryLateness(INTERVAL_MS);
  expect(lateness.look({ sentAt: 0, heardAt: 0, redisNow: undefined, firstDueMs: 1 })).toBeUndefined();
});
