import { expect, test } from 'vitest';
import { statusBudgetMs, statusWindowMs } from '../../../../../src/domain/clocks/status-window.js';

test.each([
  [100, 80, 90],
  [1_000, 800, 900],
  [12_500, 10_000, 11_250],
  [30_000, 10_000, 12_000],
  [3_600_000, 10_000, 12_000],
])('with an interval of %i ms a status has %i ms, and the message is left alone for %i', (interval, budget, window) => {
  expect([statusBudgetMs(interval), statusWindowMs(interval)]).toEqual([budget, window]);
});
