/**
 * When this worker asks for messages again, where the fleet has a rate (MAIN_SERVER_MAX_RATE).
 *
 *   free ──an exchange found fewer tokens than it wanted──▶ held ──a token is there──▶ free
 *
 * The tokens are in Redis (parts/paced.lua): whoever has work takes them, so an uneven load uses the whole rate. Nobody asks
 * sooner than the next token comes, and all workers together no more than a hundred times a second; half a second's worth of
 * tokens is kept, so none is lost by that. Times are monotonic milliseconds.
 */
import type { FleetShare } from './fleet-share.js';

/** Also for an empty queue: what waits for a message by a blocking pop would claim it without a token. */
const ASK_EVERY_MS = 100;
const LEAST_MS = 10;
/** Half of the time that tokens are kept. */
const MOST_MS = 250;

export class Pace {
  /** Messages per second of the whole fleet; 0 = there is no rate. */
  readonly perSecond: number;
  readonly #fleet: Pick<FleetShare, 'consumers'>;
  #heldUntil = -Infinity;
  #isHolding = false;

  constructor(perSecond: number, fleet: Pick<FleetShare, 'consumers'>) {
    this.perSecond = perSecond;
    this.#fleet = fleet;
  }

  get isOn(): boolean {
    return this.perSecond > 0;
  }

  /** The last exchange that wanted messages found too few tokens. */
  get isHolding(): boolean {
    return this.#isHolding;
  }

  /** Nothing is to be claimed now. */
  isHeld(now: number): boolean {
    return now < this.#heldUntil;
  }

  /** An exchange wanted messages; `tokenInMs`: until the next token, 0 = there were as many as it could use. */
  asked(tokenInMs: number, now: number): void {
    this.#isHolding = tokenInMs > 0;
    if (!this.#isHolding) return;
    const inTurn = Math.min(MOST_MS, LEAST_MS * this.#fleet.consumers);
    this.#heldUntil = now + Math.max(tokenInMs, inTurn);
  }

  /** How long to rest at most. */
  restMs(mostMs: number, now: number): number {
    if (!this.isOn) return mostMs;
    return Math.min(mostMs, this.isHeld(now) ? this.#heldUntil - now : ASK_EVERY_MS);
  }
}
