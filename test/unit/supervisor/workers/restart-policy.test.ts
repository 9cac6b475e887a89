import { expect, test } from 'vitest';

import { crashesInARow, restartDelayMs } from '../../../../supervisor/workers/restart-policy.js';

test('delays double from 100 ms to 10 s', () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1000].map((crashes) => restartDelayMs(crashes, 0.5));
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
});

test('jitter stays within 10 %', () => {
  expect(restartDelayMs(1, 0)).toBe(90);
  expect(restartDelayMs(1, 0.999_999)).toBe(110);
});

test('a process that worked for 60 s begins a new series', () => {
  expect(crashesInARow(0, 0)).toBe(1);
  expect(crashesInARow(5, 59_999)).toBe(6);
  expect(crashesInARow(5, 60_000)).toBe(1);
});
