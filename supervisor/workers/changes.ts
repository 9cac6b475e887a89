import type { Clock } from '../../src/shared/time/clock.js';

/** Lets others wait for what a change may bring about. */
export class Changes {
  readonly #clock: Clock;
  readonly #checks = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something changed: whoever waits looks again. */
  tell(): void {
    for (const check of [...this.#checks]) check();
  }

  /** Resolves to true as soon as `condition` holds; false when `isOver` does, or `timeoutMs` pass, first. */
  async until(condition: () => boolean, isOver: () => boolean, timeoutMs: number): Promise<boolean> {
    const decided = new AbortController();
    let met = false;
    const check = (): void => {
      if (decided.signal.aborted) return;
      met = condition();
      if (met || isOver()) decided.abort();
    };
    check();
    this.#checks.add(check);
    await this.#clock.sleep(timeoutMs, decided.signal);
    this.#checks.delete(check);
    check(); // time alone may have brought it about
    return met;
  }
}
