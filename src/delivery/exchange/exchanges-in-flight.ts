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
 *
 * Not a Set: V8 makes a new table for every few entries that come and go, and the former one leads to it. Once one of them
 * has grown old, which happens while nothing is in flight, all that follow and what stands in them grow old as well: that
 * doubled the time for the collection of garbage, and took 35 of 155 MB.
 */
export class ExchangesInFlight {
  readonly #clock: Clock;
  /** Each knows its place here. */
  readonly #exchanges: HttpExchange[] = [];
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
    exchange.place = this.#exchanges.push(exchange) - 1;
    if (!this.#sweep) this.#startSweep();
    if (!this.#watched.has(exchange.signal)) this.#watch(exchange.signal);
  }

  /** The last one takes its place. */
  delete(exchange: HttpExchange): void {
    const { place } = exchange;
    const last = this.#exchanges.at(-1);
    if (!last || this.#exchanges[place] !== exchange) return;
    this.#exchanges[place] = last;
    last.place = place;
    this.#exchanges.pop();
  }

  /** Ends all as `aborted`, and listens to no signal any more. What is added later is not watched. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const exchange of [...this.#exchanges]) exchange.cut(ABORTED);
    this.#closing.abort();
    this.#stopSweep();
  }

  #watch(signal: AbortSignal): void {
    this.#watched.add(signal);
    const cutAll = () => {
      for (const exchange of [...this.#exchanges]) if (exchange.signal === signal) exchange.cut(ABORTED);
    };
    signal.addEventListener('abort', cutAll, { once: true, signal: this.#closing.signal });
  }

  #cutLate(): void {
    if (this.#exchanges.length === 0) return this.#stopSweep();
    const now = this.#clock.now();
    const late = this.#exchanges.filter(({ untilMs }) => now >= untilMs);
    for (const exchange of late) exchange.cut(lateOutcome(exchange));
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
