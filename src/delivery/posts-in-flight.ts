import { ABORTED, outcomeOfErrorCode, type DeliveryOutcome } from '../domain/delivery-outcome.js';
import type { Clock, Timer } from '../shared/time/clock.js';
import type { DeliveryPost } from './post.js';

/** The deadline is late by no more than this. */
const MAX_SWEEP_MS = 250;

/**
 * Bounds every POST by one total deadline, and ends them at a kill.
 *
 * One sweep looks at all of them: a timer or a listener for each message would cost more than the rest of our share in a
 * POST. The sweep runs only while something is in flight.
 */
export class PostsInFlight {
  readonly #deadlineMs: number;
  readonly #clock: Clock;
  readonly #posts = new Set<DeliveryPost>();
  readonly #watched = new WeakSet<AbortSignal>();
  readonly #closing = new AbortController();
  readonly #sweepMs: number;
  #sweep: Timer | undefined;
  #stopped = false;

  constructor(deadlineMs: number, clock: Clock) {
    this.#deadlineMs = deadlineMs;
    this.#clock = clock;
    this.#sweepMs = Math.max(10, Math.min(MAX_SWEEP_MS, deadlineMs / 20));
  }

  add(post: DeliveryPost): void {
    this.#posts.add(post);
    if (!this.#sweep) this.#startSweep();
    if (!this.#watched.has(post.signal)) this.#watch(post.signal);
  }

  delete(post: DeliveryPost): void {
    this.#posts.delete(post);
  }

  /** Ends all as `aborted`, and listens to no signal any more. What is added later is not watched. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const post of this.#posts) post.cut(ABORTED);
    this.#closing.abort();
    this.#stopSweep();
  }

  #watch(signal: AbortSignal): void {
    this.#watched.add(signal);
    const cutAll = () => {
      for (const post of this.#posts) if (post.signal === signal) post.cut(ABORTED);
    };
    signal.addEventListener('abort', cutAll, { once: true, signal: this.#closing.signal });
  }

  #cutLate(): void {
    if (this.#posts.size === 0) return this.#stopSweep();
    const now = this.#clock.now();
    for (const post of this.#posts) {
      if (now - post.startMs >= this.#deadlineMs) post.cut(this.#late());
    }
  }

  #late(): DeliveryOutcome {
    return outcomeOfErrorCode('ETIMEDOUT', `no complete answer within ${this.#deadlineMs / 1_000} s`);
  }

  #startSweep(): void {
    if (!this.#stopped) this.#sweep = this.#clock.every(this.#sweepMs, () => this.#cutLate());
  }

  #stopSweep(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }
}
