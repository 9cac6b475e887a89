import { systemClock } from '../../../../../src/shared/time/clock.js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLineBatch, type Batch } from '../../../../../src/shared/logger/line-batch.js';

const clock = { ...systemClock, now: () => performance.now(), wallNow: () => 0 };

describe('LineBatch', () => {
  let handed: Batch[];
  let batch: ReturnType<typeof createLineBatch>;

  beforeEach(() => {
    vi.useFakeTimers();
    handed = [];
    batch = createLineBatch(clock, (one) => handed.push(one));
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('the first line goes at the end of this turn of the event loop, with what came meanwhile', () => {
    batch.append('a', false);
    batch.append('b', false);
    expect(handed).toEqual([]);
    vi.advanceTimersByTime(0);
    expect(handed).toEqual([{ text: 'a\nb', lines: 2 }]);
  });

  test('the next hand-over comes 25 ms after the last', () => {
    batch.append('a', false);
    vi.advanceTimersByTime(0);
    batch.append('b', false);
    vi.advanceTimersByTime(24);
    expect(handed).toHaveLength(1);
    batch.append('c', false);
    vi.advanceTimersByTime(1);
    expect(handed[1]).toEqual({ text: 'b\nc', lines: 2 });
  });

  test('an urgent line goes at once, after everything before it', () => {
    batch.append('a', false);
    batch.append('error', true);
    expect(handed).toEqual([{ text: 'a\nerror', lines: 2 }]);
    vi.advanceTimersByTime(100);
    expect(handed).toHaveLength(1);
  });

  test('of many urgent lines in quick succession the first goes at once, the others together 25 ms later', () => {
    for (const line of ['first', 'second', 'third']) batch.append(line, true);
    expect(handed).toEqual([{ text: 'first', lines: 1 }]);
    vi.advanceTimersByTime(25);
    expect(handed[1]).toEqual({ text: 'second\nthird', lines: 2 });
    vi.advanceTimersByTime(25);
    batch.append('later', true);
    expect(handed[2]).toEqual({ text: 'later', lines: 1 });
  });

  test('a batch stays below 60 Ki characters', () => {
    const line = 'x'.repeat(1000);
    for (let i = 0; i < 100; i += 1) batch.append(line, false);
    batch.flush();
    expect(handed.reduce((sum, { lines }) => sum + lines, 0)).toBe(100);
    expect(Math.max(...handed.map(({ text }) => text.length))).toBeLessThanOrEqual(60 * 1024);
  });

  test('take leaves nothing behind', () => {
    batch.append('a', false);
    expect(batch.take()).toEqual({ text: 'a', lines: 1 });
    expect(batch.take()).toBeUndefined();
    vi.advanceTimersByTime(100);
    expect(handed).toEqual([]);
  });
});
