import { setMaxListeners } from 'node:events';
import { ABORTED, outcomeOfErrorCode, type DeliveryOutcome } from '../../domain/delivery-outcome.js';
import type { Clock, Timer } from '../../shared/time/clock.js';
import type { HttpExchange } from './http-exchange.js';

const MAX_SWEEP_MS = 250;

/** How late a deadline of `deadlineMs` may be noticed. */
export function sweepMsFor(deadlineMs: number): number {
  return Math.max(10, Math.min(MAX_SWEEP_MS, deadlineMs / 20));
}

/**
 * Bounds every exchange by its total deadline, and ends them at a kill.
 *
 * One sweep looks at all of them: a timer or a listener for each message would cost more than the rest of our share in a
 * POST. The sweep runs only while something is in flight; a deadline is late by no more than `sweepMs`.
 */
export class ExchangesInFlight {
  readonly #clock: Clock;
  readonly #exchanges = new Set<HttpExchange>();
  readonly #watched = new WeakSet<AbortSignal>();
  readonly #closing = new AbortController();
  readonly #sweepMs: number;
  #sweep: Timer | undefined;
  #stopped = false;

  constructor(sweepMs: number, clock: Clock) {
    this.#sweepMs = sweepMs;
    this.#clock = clock;
    setMaxListeners(0, this.#closing.signal); // one for each signal that is watched
  }

  add(exchange: HttpExchange): void {
    this.#exchanges.add(exchange);
    if (!this.#sweep) this.#startSweep();
    if (!this.#watched.has(exchange.signal)) this.#watch(exchange.signal);
  }

  delete(exchange: HttpExchange): void {
    this.#exchanges.delete(exchange);
  }

  /** Ends all as `aborted`, and listens to no signal any more. What is added later is not watched. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const exchange of this.#exchanges) exchange.cut(ABORTED);
    this.#closing.abort();
    this.#stopSweep();
  }

  #watch(signal: AbortSignal): void {
    this.#watched.add(signal);
    const cutAll = () => {
      for (const exchange of this.#exchanges) if (exchange.signal === signal) exchange.cut(ABORTED);
    };
    signal.addEventListener('abort', cutAll, { once: true, signal: this.#closing.signal });
  }

  #cutLate(): void {
    if (this.#exchanges.size === 0) return this.#stopSweep();
    const now = this.#clock.now();
    for (const exchange of this.#exchanges) if (now >= exchange.untilMs) exchange.cut(lateOutcome(exchange));
  }

  #startSweep(): void {
    if (!this.#stopped) this.#sweep = this.#clock.every(this.#sweepMs, () => this.#cutLate());
  }

  #stopSweep(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }
}

function lateOutcome({ startMs, untilMs, sent }: HttpExchange): DeliveryOutcome {
  const what = sent ? 'complete answer' : 'connection';
  const seconds = Number(((untilMs - startMs) / 1_000).toFixed(1));
  return outcomeOfErrorCode('ETIMEDOUT', `no ${what} within ${seconds} s`, sent);
}
