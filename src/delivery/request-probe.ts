import { connectOptions } from './connect-options.js';
import { outcomeOfResult } from './exchange/exchange-outcome.js';
import { ExchangesInFlight, sweepMsFor } from './exchange/exchanges-in-flight.js';
import { HttpExchange, type ExchangeResult } from './exchange/http-exchange.js';
import { DeliveryPool } from './exchange/pool.js';
import type { ConnectionAge } from './exchange/server-connection.js';
import type { Credentials } from './tls-credentials.js';
import type { Clock } from '../shared/time/clock.js';
import type { Config } from '../shared/config/config.js';

export type Reply =
  | { readonly kind: 'answer'; readonly status: number; readonly ms: number }
  /** `problem` for people. */
  | { readonly kind: 'none'; readonly problem: string }
  /** Cut by us. */
  | { readonly kind: 'aborted' };

interface ProbeOptions {
  readonly mainServer: Config['mainServer'];
  /** Undefined for `http://`. */
  readonly credentials: Credentials | undefined;
  /** What is asked for; appended to the base URL. */
  readonly path: string;
  readonly connections: number;
  readonly clock: Clock;
}

/** It lives for a minute. */
const NEVER_OLD: ConnectionAge = { maxAgeMs: 0, clock: { now: () => 0 }, random: () => 0 };
const HEADERS = ['accept-encoding', 'identity'];

/** GET, over the same connections as deliveries: undici's pool, keep-alive, mutual TLS, one total deadline. */
export class RequestProbe {
  readonly #options: ProbeOptions;
  readonly #pool: DeliveryPool;
  readonly #inFlight: ExchangesInFlight;
  readonly #path: string;
  #sent = 0;
  #stopped = false;

  constructor(options: ProbeOptions) {
    this.#options = options;
    const { mainServer, credentials, connections, clock } = options;
    const { origin, pathname } = new URL(mainServer.url);
    this.#path = pathname.replace(/\/$/, '') + options.path;
    const deadlineMs = mainServer.timeoutMs;
    const connect = connectOptions(credentials);
    this.#pool = new DeliveryPool({ origin, connections, deadlineMs, connect, age: NEVER_OLD });
    this.#inFlight = new ExchangesInFlight(sweepMsFor(deadlineMs), clock);
  }

  /** Requests sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** One request; never rejects. */
  get(signal: AbortSignal): Promise<Reply> {
    if (signal.aborted || this.#stopped) return Promise.resolve({ kind: 'aborted' });
    this.#sent += 1;
    const startMs = this.#options.clock.now();
    return new Promise((resolve) => {
      const request: HttpExchange = new HttpExchange({
        startMs,
        untilMs: startMs + this.#options.mainServer.timeoutMs,
        signal,
        end: (result) => {
          this.#inFlight.delete(request);
          resolve(this.#replyOf(result, startMs));
        },
      });
      this.#inFlight.add(request);
      this.#pool.dispatch({ path: this.#path, method: 'GET', headers: HEADERS }, request);
    });
  }

  /** Ends what is under way as `aborted`. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#inFlight.stop(), this.#pool.stop()]);
  }

  #replyOf(result: ExchangeResult, startMs: number): Reply {
    const { clock, credentials } = this.#options;
    if (result.kind === 'answer') return { kind: 'answer', status: result.status, ms: clock.now() - startMs };
    const outcome = outcomeOfResult(result, credentials, clock.wallNow());
    if (outcome.kind !== 'failed') return { kind: 'aborted' };
    const { errorMessage, detail } = outcome;
    return { kind: 'none', problem: detail === '' ? errorMessage : `${errorMessage} (${detail})` };
  }
}
