/**
 * How much one exchange may claim. Redis cuts a connection whose reply is over its output buffer limit, which nothing tells
 * us: so after a lost claim the next asks for less, down to one message, and for more again while none is lost.
 */
import type { Clock } from '../../shared/time/clock.js';

/** One reply claims no more than this and one message: a batch of ten 50 MB messages would take the process down. */
const MOST_BYTES = 1_048_576;
const LESS = 4;
/** A limit that is met again costs a reconnection of up to a second each time. */
const MORE_AFTER_MS = 30_000;

export class ClaimSize {
  readonly #clock: Clock;
  #bytes = MOST_BYTES;
  #changedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes after which no further message is to be claimed; at 1 they come one by one. */
  get bytes(): number {
    if (this.#bytes < MOST_BYTES && this.#clock.now() - this.#changedAt >= MORE_AFTER_MS) {
      this.#bytes = Math.min(MOST_BYTES, this.#bytes * LESS);
      this.#changedAt = this.#clock.now();
    }
    return this.#bytes;
  }

  /** The reply to a claim was lost. */
  noteLost(): void {
    this.#bytes = Math.max(1, this.#bytes / LESS);
    this.#changedAt = this.#clock.now();
  }
}
