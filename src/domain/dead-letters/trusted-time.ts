/**
 * The time by which dead letters grow old. What is deleted because a clock was set ahead is gone, so the time is the earlier of
 * Redis's clock and the host's, and it never runs faster than the monotonic clock. It falls behind when both are set ahead
 * together, or when they began in the past; after a day in which they stayed ahead they are believed.
 */
const BELIEVED_AFTER_MS = 86_400_000;
/** Clocks that are corrected bit by bit. */
const DRIFT_MS = 1_000;

interface Clocks {
  /** Ms since the Unix epoch. */
  readonly redis: number;
  readonly host: number;
  /** Ms on the monotonic clock. */
  readonly monotonic: number;
}

export class TrustedTime {
  #last: { readonly time: number; readonly monotonic: number } | undefined;
  #aheadSince: number | undefined;

  /** Ms since the Unix epoch. */
  at({ redis, host, monotonic }: Clocks): number {
    const shown = Math.min(redis, host);
    const most = this.#last === undefined ? Infinity : this.#last.time + (monotonic - this.#last.monotonic);
    const isAhead = shown > most + DRIFT_MS;
    this.#aheadSince = isAhead ? (this.#aheadSince ?? monotonic) : undefined;
    const isBelieved = this.#aheadSince !== undefined && monotonic - this.#aheadSince >= BELIEVED_AFTER_MS;
    const time = isAhead && !isBelieved ? most : shown;
    this.#last = { time, monotonic };
    return time;
  }
}
