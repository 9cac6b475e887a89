/**
 * For how long the main server may be hearing of a burial, and who may trust Redis's clock about it. Pure; own times are
 * monotonic ms.
 *
 * The score of a burial that is being told says until when, by Redis's clock. When that is past, the time is over, or the
 * clock was set ahead meanwhile and a "failed" is still on its way, which would overwrite the "delivered" of what is replayed
 * now. What was written before we began is over once we have waited for as long as the longest telling lasts.
 */

/** A server that hangs is asked no longer than for other statuses. */
export const LONGEST_PUT_MS = 10_000;
/** A burial stays its teller's for so long after its PUT was reset: what had left by then has arrived. */
export const AFTERMATH_MS = 5_000;
/** From when its score was written. A status of the failure before a cancel is over sooner (status-window.ts). */
export const TELLING_MS = LONGEST_PUT_MS + AFTERMATH_MS;

export class TellingWindow {
  readonly #begunAt: number;
  readonly #redisNow: number;

  /** `redisNow`: Redis's clock, heard by `begunAt`. */
  constructor(begunAt: number, redisNow: number) {
    this.#begunAt = begunAt;
    this.#redisNow = redisNow;
  }

  /** Scores up to this are over, whatever Redis's clock says; 0 = of none is that known. */
  overUpTo(now: number): number {
    return this.leftMs(now) > 0 ? 0 : this.#redisNow;
  }

  leftMs(now: number): number {
    return Math.max(0, this.#begunAt + TELLING_MS - now);
  }
}
