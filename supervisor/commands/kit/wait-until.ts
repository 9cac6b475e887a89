import { systemClock } from '../../../src/shared/time/clock.js';

const LOOK_EVERY_MS = 100;

/** Looks until `look` gives something; undefined when that takes longer than `deadlineMs`. */
export async function waitUntil<T>(look: () => Promise<T | undefined>, deadlineMs: number): Promise<T | undefined> {
  const deadline = systemClock.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (systemClock.now() >= deadline) return undefined;
    await systemClock.sleep(LOOK_EVERY_MS);
  }
}
