import { systemClock } from '../../../../../src/shared/time/clock.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchMidnight } from '../../../../../src/shared/logger/midnight.js';

const clock = { ...systemClock, now: () => 0, wallNow: () => Date.now() };
const MINUTE = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date(2025, 0, 15, 23, 58, 30) });
});
afterEach(() => {
  vi.useRealTimers();
});

test('tells of a new day within milliseconds, once', () => {
  const onNewDay = vi.fn();
  const watch = watchMidnight(clock, onNewDay);
  vi.advanceTimersByTime(1.5 * MINUTE - 1);
  expect(onNewDay).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2);
  expect(onNewDay).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(23 * 60 * MINUTE);
  expect(onNewDay).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(60 * MINUTE);
  expect(onNewDay).toHaveBeenCalledTimes(2);
  watch.stop();
});

test('notices within a minute that the host slept over midnight', () => {
  const onNewDay = vi.fn();
  const watch = watchMidnight(clock, onNewDay);
  vi.setSystemTime(new Date(2025, 0, 18, 9, 0, 0));
  vi.advanceTimersByTime(MINUTE);
  expect(onNewDay).toHaveBeenCalledTimes(1);
  watch.stop();
});

test('stop leaves no timer', () => {
  watchMidnight(clock, () => {}).stop();
  expect(vi.getTimerCount()).toBe(0);
});
