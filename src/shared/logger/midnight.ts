import type { Clock, Timer } from '../time/clock.js';
import { localDate } from './line-format.js';

/** The host's clock may be set, or the host may sleep: never wait longer than this without looking. */
const LONGEST_WAIT_MS = 60_000;

/** Calls `onNewDay` when the local date changes. Its timer does not keep the process alive. */
export function watchMidnight(clock: Clock, onNewDay: () => void): { stop(): void } {
  let today = localDate(clock.wallNow());
  let timer = schedule();

  function schedule(): Timer {
    const now = new Date(clock.wallNow());
    const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime();
    return clock.after(Math.min(midnight - now.getTime() + 1, LONGEST_WAIT_MS), look).unref();
  }

  function look(): void {
    const date = localDate(clock.wallNow());
    timer = schedule();
    if (date === today) return;
    today = date;
    onNewDay();
  }

  return { stop: () => timer.cancel() };
}
