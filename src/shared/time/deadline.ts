import type { Clock } from './clock.js';

/** One instant on both clocks of this host. */
export interface Moment {
  /** Monotonic ms. */
  readonly now: number;
  /** Milliseconds since the Unix epoch. */
  readonly wallNow: number;
}

export function momentOf(clock: Pick<Clock, 'now' | 'wallNow'>): Moment {
  return { now: clock.now(), wallNow: clock.wallNow() };
}

/**
 * A time after which something must not be begun any more, whatever froze meanwhile.
 *
 * A frozen process finds the monotonic clock gone on, a suspended host only the wall clock: so it is over as soon as
 * either says so. A wall clock that is set forward ends it early, one that is set back leaves the monotonic clock to
 * decide. A virtual machine paused with both clocks does not notice.
 */
export class Deadline {
  /** Monotonic ms. */
  readonly untilMs: number;
  readonly #untilWallMs: number;
  readonly #clock: Pick<Clock, 'now' | 'wallNow'>;

  constructor(ms: number, clock: Pick<Clock, 'now' | 'wallNow'>, from: Moment = momentOf(clock)) {
    this.untilMs = from.now + ms;
    this.#untilWallMs = from.wallNow + ms;
    this.#clock = clock;
  }

  get isOver(): boolean {
    return this.leftMs <= 0;
  }

  /** Milliseconds, by the clock that is further on; 0 or less = over. */
  get leftMs(): number {
    return Math.min(this.untilMs - this.#clock.now(), this.#untilWallMs - this.#clock.wallNow());
  }
}
