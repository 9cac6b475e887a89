/**
 * When a crashed worker is started again.
 *
 * 100 ms after the first crash, so that a single kill costs next to nothing; then doubling up to 10 s, so that a worker
 * that dies at every start costs a few starts a minute: 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, ...
 * A process that worked for 60 s begins a new series. Jitter of ±10 % keeps workers that died together apart.
 *
 * One that did not boot in time is given twice the time next: 30 s, 1 min, 2, 4, 8, 10, 10, ...
 */
import { BOOT_LIMIT_MS } from './patience.js';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
const HEALTHY_AFTER_MS = 60_000;
const JITTER = 0.1;
const LONGEST_BOOT_MS = 600_000;

/** Crashes in the current series, the one that just happened included. `workedMs` = how long the process was active. */
export function crashesInARow(before: number, workedMs: number): number {
  return workedMs >= HEALTHY_AFTER_MS ? 1 : before + 1;
}

/** Milliseconds to wait before the next start. `random` is from [0, 1). */
export function restartDelayMs(crashes: number, random: number): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** Math.max(0, crashes - 1), LONGEST_DELAY_MS);
  return Math.round(delay * (1 + JITTER * (2 * random - 1)));
}

/** How long the next process may boot without a sign of life. `slowBoots` = how many in a row have not booted in time. */
export function bootLimitMs(slowBoots: number): number {
  return Math.min(BOOT_LIMIT_MS * 2 ** slowBoots, LONGEST_BOOT_MS);
}
