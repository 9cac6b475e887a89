import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../../../src/domain/flow/retry-after.js';

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);
const at = (seconds: number) => new Date(NOW + seconds * 1000).toUTCString();

test.each([
  ['0', undefined, 0],
  ['120', undefined, 120_000],
  [' 7 ', undefined, 7_000],
  ['9999999', undefined, 600_000],
  [at(30), undefined, 30_000],
  [at(-30), undefined, 0],
  [at(86_400), undefined, 600_000],
  // the clock of the server is an hour ahead of ours
  [at(3_630), at(3_600), 30_000],
  [at(30), 'yesterday', 30_000],
  ['Thursday, 01-Jan-26 12:00:30 GMT', undefined, 30_000],
  ['', undefined, undefined],
  ['-5', undefined, undefined],
  ['1.5', undefined, undefined],
  ['soon', undefined, undefined],
  ['in 5', undefined, undefined],
  ['Thu, and no date', undefined, undefined],
])('Retry-After: %j, Date: %j = %s ms', (value, date, expected) => {
  expect(retryAfterMs(value, date, NOW)).toBe(expected);
});
