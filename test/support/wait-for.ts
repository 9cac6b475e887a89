import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** What the test waits for; the error names it. */
  readonly what: string;
  /** Default 5,000. */
  readonly deadlineMs?: number;
}

type Truthy<T> = Exclude<T, undefined | null | false | 0 | ''>;

/** Polls every 10 ms until `condition` returns something truthy, and returns that. Rejects at the deadline. */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions): Promise<Truthy<T>> {
  const deadlineMs = options.deadlineMs ?? 5_000;
  const start = performance.now();
  for (;;) {
    const value = await condition();
    if (value) return value as Truthy<T>;
    if (performance.now() - start > deadlineMs) {
      throw new Error(`Waited ${deadlineMs} ms in vain for ${options.what}`);
    }
    await sleep(10);
  }
}
