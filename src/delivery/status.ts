/** The rest of what the main server is asked: status PUTs and the health probe, on connections of their own. */
import { Buffer } from 'node:buffer';
import { setMaxListeners } from 'node:events';
import type { Dispatcher } from 'undici';
import type { ProbeResult } from '../domain/flow/circuit-breaker.js';
import { ABORTED, isNoSuchRoute, type DeliveryOutcome } from '../domain/delivery-outcome.js';
import type { Clock } from '../shared/time/clock.js';
import { Deadline } from '../shared/time/deadline.js';
import { ExchangesInFlight } from './exchange/exchanges-in-flight.js';
import { HttpExchange, type ExchangeResult } from './exchange/http-exchange.js';
import { LinkedAbort } from './linked-abort.js';
import type { StatusUpdate } from './main-server.js';
import type { DeliveryPool } from './exchange/pool.js';

interface StatusClientOptions {
  /** Its own: it is retired and stopped with this client. */
  readonly pool: DeliveryPool;
  /** Put before each path. */
  readonly basePath: string;
  readonly healthEndpoint: string;
  readonly clock: Clock;
  readonly outcomeOf: (result: ExchangeResult) => DeliveryOutcome;
}

type Request = Pick<Dispatcher.DispatchOptions, 'path' | 'method' | 'headers'> & { readonly body?: string };

/** Waits before the repeats of a PUT. */
const REPEAT_DELAYS_MS = [200, 400];
const REPEATED_STATUSES: ReadonlySet<number | undefined> = new Set([undefined, 502, 503, 504]);
const PROBE_DEADLINE_MS = 5_000;
/** A PUT must be over before its message can be POSTed again, for which a fifth of the retry interval is left. */
const SWEEP_MS = 20;

const PUT_HEADERS = ['content-type', 'application/json', 'accept-encoding', 'identity'];
const PROBE_HEADERS = ['accept-encoding', 'identity'];

export class StatusClient {
  readonly #options: StatusClientOptions;
  readonly #inFlight: ExchangesInFlight;
  readonly #closing = new AbortController();
  /** Requests under way, with the pauses before their repeats. */
  #busy = 0;
  #idle: (() => void) | undefined;

  constructor(options: StatusClientOptions) {
    this.#options = options;
    this.#inFlight = new ExchangesInFlight(SWEEP_MS, options.clock);
    setMaxListeners(0, this.#closing.signal); // one for each pause
  }

  /** Repeats a PUT that did not get through, twice at most. None begins once the deadline is over; then it is reset. */
  put(messageId: string, update: StatusUpdate, deadline: Deadline, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { status, attemptCount, errorMessage } = update;
    const request: Request = {
      method: 'PUT',
      path: `${this.#options.basePath}/internal/messages/${encodeURIComponent(wellFormed(messageId))}/status`,
      headers: PUT_HEADERS,
      body: JSON.stringify({ status, attempt_count: attemptCount, error_message: errorMessage }),
    };
    return this.#counted(this.#putUntil(deadline, request, signal));
  }

  /** Whether anybody answers a GET of `endpoint` otherwise than with "no such path". */
  async hasRoute(endpoint: string): Promise<boolean> {
    const outcome = await this.#get(endpoint);
    return !(outcome.kind === 'failed' && outcome.status === 404 && isNoSuchRoute(outcome));
  }

  async probe(): Promise<ProbeResult> {
    const outcome = await this.#get(this.#options.healthEndpoint);
    if (outcome.kind === 'delivered') return 'reachable';
    if (outcome.kind === 'aborted' || outcome.status === undefined) return 'unreachable';
    if (!outcome.reachable) return 'unhealthy';
    return outcome.status === 404 || outcome.status === 405 ? 'unsupported' : 'reachable';
  }

  #get(endpoint: string): Promise<DeliveryOutcome> {
    const { basePath, clock } = this.#options;
    const request: Request = { method: 'GET', path: basePath + endpoint, headers: PROBE_HEADERS };
    const deadline = new Deadline(PROBE_DEADLINE_MS, clock);
    return this.#counted(this.#exchange(request, deadline, this.#closing.signal, true));
  }

  /** Stops when what is under way has ended; it must get nothing new. */
  async retire(): Promise<void> {
    if (this.#busy > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.stop();
  }

  /** Ends what is under way as `aborted`. */
  async stop(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#inFlight.stop(), this.#options.pool.stop()]);
  }

  async #counted<T>(work: Promise<T>): Promise<T> {
    this.#busy++;
    try {
      return await work;
    } finally {
      if (--this.#busy === 0) this.#idle?.();
    }
  }

  async #putUntil(deadline: Deadline, request: Request, signal: AbortSignal): Promise<DeliveryOutcome> {
    for (let repeat = 0; ; repeat++) {
      const outcome = await this.#exchange(request, deadline, signal);
      if (outcome.kind !== 'failed' || !REPEATED_STATUSES.has(outcome.status)) return outcome;
      const delayMs = REPEAT_DELAYS_MS[repeat];
      if (delayMs === undefined || delayMs >= deadline.leftMs) return outcome;
      await this.#pause(delayMs, signal);
      if (deadline.isOver) return outcome;
    }
  }

  /** The next exchange sees the abort. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const stop = new LinkedAbort([signal, this.#closing.signal]);
    await this.#options.clock.sleep(ms, stop.signal);
    stop.release();
  }

  #exchange(request: Request, deadline: Deadline, signal: AbortSignal, fresh = false): Promise<DeliveryOutcome> {
    const { pool, clock, outcomeOf } = this.#options;
    if (signal.aborted || this.#closing.signal.aborted) return Promise.resolve(ABORTED);
    return new Promise((resolve) => {
      const exchange = new HttpExchange({
        startMs: clock.now(),
        untilMs: deadline.untilMs,
        mustLeaveBy: deadline,
        signal,
        end: (result) => {
          this.#inFlight.delete(exchange);
          resolve(this.#closing.signal.aborted && result.kind === 'error' ? ABORTED : outcomeOf(result));
        },
      });
      this.#inFlight.add(exchange);
      if (fresh) pool.dispatchFresh(request, exchange);
      else pool.dispatch(request, exchange);
    });
  }
}

/** encodeURIComponent throws on half a surrogate pair; UTF-8 turns it into U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
