/**
 * The only clock of the tests. A test waits for what is to happen, never for a time to pass; the deadline only ends one
 * that hangs, and is so long that a busy machine does not reach it.
 */
import { setTimeout as sleep } from 'node:timers/promises';

interface WaitOptions {
  /** What the test waits for; the error names it. */
  readonly what: string;
  /** Default HANGS_MS. Shorter where the time itself is the promise: in *.timed.test.ts and in the fault matrix. */
  readonly deadlineMs?: number;
  /** Default 10: looking more often than something can change only takes time from those that are watched. */
  readonly everyMs?: number;
}

/** What takes so long does not come any more: on two cores with a load of 30, three workers took half of it to start. */
export const HANGS_MS = 60_000;

/** For what takes tens of seconds by itself: the alerts of a Prometheus, a quickstart with all that it starts. */
export const SLOW_HANGS_MS = 120_000;

type Truthy<T> = Exclude<T, undefined | null | false | 0 | ''>;

/** Looks until `condition` returns something truthy, and returns that. Rejects at the deadline. */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions): Promise<Truthy<T>> {
  const { deadlineMs = HANGS_MS, everyMs = 10 } = options;
  const start = performance.now();
  for (;;) {
    const value = await condition();
    if (value) return value as Truthy<T>;
    if (performance.now() - start > deadlineMs) {
      throw new Error(`Waited ${deadlineMs} ms in vain for ${options.what}`);
    }
    await sleep(everyMs);
  }
}

export interface Repetition {
  /** Resolves when the step under way has ended; rejects when a step failed. */
  stop(): Promise<void>;
}

/** Does `step` again and again, with a pause after each, until it is stopped. */
export function repeat(step: () => Promise<void>, pauseMs: number): Repetition {
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      await step();
      await sleep(pauseMs);
    }
  })();
  running.catch(() => undefined); // told by stop
  return {
    async stop() {
      stopped = true;
      await running;
    },
  };
}
