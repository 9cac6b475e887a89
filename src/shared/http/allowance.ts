import type { Clock, Timer } from '../time/clock.js';

/**
 * How often somebody may begin something: `perSecond`, and after a pause a second's worth at once. Who comes too early
 * waits in line. Holds no timer while nobody waits.
 */
export class Allowance {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #line = new Set<() => void>();
  #left: number;
  #countedAt: number;
  #timer: Timer | undefined;

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#left = perSecond;
    this.#countedAt = clock.now();
  }

  /** Calls `begin` now or later, once. @returns what takes it out of the line. */
  enter(begin: () => void): () => void {
    this.#line.add(begin);
    this.#serve();
    return () => void this.#line.delete(begin);
  }

  #serve(): void {
    this.#count();
    for (const begin of this.#line) {
      if (this.#left < 1) break;
      this.#left -= 1;
      this.#line.delete(begin);
      begin();
    }
    if (this.#line.size === 0 || this.#timer !== undefined) return;
    const waitMs = ((1 - this.#left) / this.#perSecond) * 1_000;
    this.#timer = this.#clock
      .after(Math.max(1, Math.ceil(waitMs)), () => {
        this.#timer = undefined;
        this.#serve();
      })
      .unref();
  }

  #count(): void {
    const now = this.#clock.now();
    this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#countedAt) / 1_000) * this.#perSecond);
    this.#countedAt = now;
  }
}
