import { RedisClock } from './redis-clock.js';

/** One look at the retries. */
interface RetryLook {
  /** Monotonic ms. */
  readonly sentAt: number;
  readonly heardAt: number;
  /** Redis's clock when it answered, ms. */
  readonly redisNow: number | undefined;
  /** By Redis's clock, ms; undefined = there are no retries. */
  readonly firstDueMs: number | undefined;
}

/** How long the retry that is due first has been due: more than a moment only while nobody moves retries back. */
export class RetryLateness {
  readonly #redisClock: RedisClock;

  constructor(retryIntervalMs: number) {
    this.#redisClock = new RedisClock(retryIntervalMs);
  }

  /** ms; undefined = not known. A step ahead of Redis's clock makes nothing late: retries go by the old reckoning then. */
  look({ sentAt, heardAt, redisNow, firstDueMs }: RetryLook): number | undefined {
    if (redisNow === undefined) return undefined;
    this.#redisClock.heard({ sentAt, heardAt, redisNow });
    if (firstDueMs === undefined) return 0;
    return Math.max(0, Math.min(redisNow, this.#redisClock.latest(heardAt) ?? redisNow) - firstDueMs);
  }
}
