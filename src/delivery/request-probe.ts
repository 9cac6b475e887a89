import { outcomeOfError } from './connection-fault.js';
import { connectOptions } from './connect-options.js';
import { DeliveryPool } from './pool.js';
import { DeliveryPost, type PostResult } from './post.js';
import { PostsInFlight } from './posts-in-flight.js';
import type { Credentials } from './tls-credentials.js';
import type { Clock } from '../shared/time/clock.js';
import type { Config } from '../shared/config/config.js';

export type Reply =
  | { readonly kind: 'answer'; readonly status: number; readonly ms: number }
  /** `problem` for people. */
  | { readonly kind: 'none'; readonly problem: string }
  /** Cut by us. */
  | { readonly kind: 'aborted' };

export interface ProbeOptions {
  readonly mainServer: Config['mainServer'];
  /** Undefined for `http://`. */
  readonly credentials: Credentials | undefined;
  /** What is asked for; appended to the base URL. */
  readonly path: string;
  readonly connections: number;
  readonly clock: Clock;
}

const HEADERS = ['accept-encoding', 'identity'];

/** GET, over the same connections as deliveries: undici's pool, keep-alive, mutual TLS, one total deadline. */
export class RequestProbe {
  readonly #options: ProbeOptions;
  readonly #pool: DeliveryPool;
  readonly #inFlight: PostsInFlight;
  readonly #path: string;
  #sent = 0;

  constructor(options: ProbeOptions) {
    this.#options = options;
    const { mainServer, credentials, connections, clock } = options;
    const { origin, pathname } = new URL(mainServer.url);
    this.#path = pathname.replace(/\/$/, '') + options.path;
    const deadlineMs = mainServer.timeoutMs;
    this.#pool = new DeliveryPool({ origin, connections, deadlineMs, connect: connectOptions(credentials) });
    this.#inFlight = new PostsInFlight(deadlineMs, clock);
  }

  /** Requests so far. */
  get sent(): number {
    return this.#sent;
  }

  /** One request; never rejects. */
  get(signal: AbortSignal): Promise<Reply> {
    if (signal.aborted) return Promise.resolve({ kind: 'aborted' });
    this.#sent += 1;
    const startMs = this.#options.clock.now();
    return new Promise((resolve) => {
      const request = new DeliveryPost(startMs, signal, (result) => {
        this.#inFlight.delete(request);
        resolve(this.#replyOf(result, startMs));
      });
      this.#inFlight.add(request);
      this.#pool.dispatch({ path: this.#path, method: 'GET', headers: HEADERS }, request);
    });
  }

  async close(): Promise<void> {
    this.#inFlight.close();
    await this.#pool.destroy();
  }

  #replyOf(result: PostResult, startMs: number): Reply {
    const { clock, credentials } = this.#options;
    if (result.kind === 'answer') return { kind: 'answer', status: result.status, ms: clock.now() - startMs };
    const outcome =
      result.kind === 'settled' ? result.outcome : outcomeOfError(result.error, credentials, clock.wallNow());
    if (outcome.kind !== 'failed') return { kind: 'aborted' };
    const { errorMessage, detail } = outcome;
    return { kind: 'none', problem: detail === '' ? errorMessage : `${errorMessage} (${detail})` };
  }
}
