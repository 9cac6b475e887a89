/**
 * Redis's clock beside our own monotonic one: tells when it was set, and what it can say at most.
 *
 *   keeps pace ──ahead of our reckoning──▶ held: for one window what was due by the old reckoning is due, and no more
 *       ▲  └──behind──▶ back: whoever asks is told by how much
 *       └──the window is over────────────────┘
 *
 * Each step ahead has a window of its own: what was scheduled between two of them is due by neither of the others. So what
 * counts is the furthest behind that the clock was in the last window.
 *
 * Times in ms. What is heard lies between two of our own times, so nothing is concluded that a slow answer could explain.
 */
export interface ClockStep {
  /** Negative = it was set back. */
  readonly byMs: number;
  /** So many ms before it was heard, at most. */
  readonly withinMs: number;
}

interface Heard {
  readonly sentAt: number;
  readonly heardAt: number;
  /** Redis's clock when it answered. */
  readonly redisNow: number;
}

/** A smaller step delays no retry by more than it may be late. */
const TOLERANCE_MS = 500;

export class RedisClock {
  readonly #windowMs: number;
  /** Redis's clock minus ours: at least, at most. */
  #offset: { readonly low: number; readonly high: number } | undefined;
  #sentAt = 0;
  /** What it was before the steps ahead whose window is not over, at most: the oldest first, each ahead of those before. */
  #held: { readonly offset: number; readonly until: number }[] = [];

  /** `windowMs`: for how long after a step ahead the old reckoning holds. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** What Redis's clock can say at `now` if it keeps pace; undefined before anything was heard. */
  latest(now: number): number | undefined {
    this.#held = this.#held.filter(({ until }) => now < until);
    const offset = this.#held[0]?.offset ?? this.#offset?.high;
    return offset === undefined ? undefined : Math.ceil(now + offset + TOLERANCE_MS);
  }

  /** What Redis's clock says at least at `now` if it keeps pace; undefined before anything was heard. */
  earliest(now: number): number | undefined {
    return this.#offset && Math.floor(now + this.#offset.low - TOLERANCE_MS);
  }

  /** Undefined = it keeps pace. */
  heard({ sentAt, heardAt, redisNow }: Heard): ClockStep | undefined {
    const before = this.#offset;
    const offset = { low: redisNow - heardAt, high: redisNow - sentAt };
    this.#offset = offset;
    const withinMs = heardAt - this.#sentAt;
    this.#sentAt = sentAt;
    if (!before) return undefined;
    if (offset.high < before.low - TOLERANCE_MS) this.#held = this.#held.filter((held) => held.offset < offset.high);
    else if (offset.low > before.high + TOLERANCE_MS) {
      this.#held.push({ offset: before.high, until: heardAt + this.#windowMs });
    } else return undefined;
    return { byMs: (offset.low + offset.high - before.low - before.high) / 2, withinMs };
  }
}
