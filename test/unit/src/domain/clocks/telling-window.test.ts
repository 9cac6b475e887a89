import { expect, test } from 'vitest';
import { LONGEST_PUT_MS, TELLING_MS, TellingWindow } from '../../../../../src/domain/clocks/telling-window.js';
import { statusWindowMs } from '../../../../../src/domain/clocks/status-window.js';

test('what was scored before it began is over when any telling is, by our own clock', () => {
  const window = new TellingWindow(1_000, 1_736_937_000_000);
  expect([window.leftMs(1_000), window.overUpTo(1_000)]).toEqual([TELLING_MS, 0]);
  expect([window.leftMs(15_999), window.overUpTo(15_999)]).toEqual([1, 0]);
  expect([window.leftMs(16_000), window.overUpTo(16_000)]).toEqual([0, 1_736_937_000_000]);
  expect(window.leftMs(60_000)).toBe(0);
});

test('a telling lasts longer than its PUT, and than a status of the failure before a cancel', () => {
  expect(TELLING_MS).toBeGreaterThan(LONGEST_PUT_MS);
  for (const seconds of [1, 30, 3_600]) expect(statusWindowMs(seconds * 1_000)).toBeLessThan(TELLING_MS);
});
