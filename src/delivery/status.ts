/**
 * The rest of the HTTP: status PUTs and the health probe, by got. It is loaded at the first use, since a worker must boot
 * fast and a fault-free one never needs it.
 */
import { setMaxListeners } from 'node:events';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Got } from 'got';
import type { ProbeResult } from '../domain/circuit-breaker.js';
import { ABORTED, outcomeOfStatus, type DeliveryOutcome } from '../domain/delivery-outcome.js';
import type { Clock } from '../shared/time/clock.js';
import type { ConnectOptions } from './connect-options.js';
import { MAX_BODY_BYTES } from './post.js';
import { LinkedAbort } from './linked-abort.js';
import type { StatusUpdate } from './main-server.js';

interface StatusClientOptions {
  /** Origin and base path. */
  readonly url: string;
  readonly healthEndpoint: string;
  readonly connections: number;
  readonly connect: ConnectOptions;
  readonly clock: Clock;
  /** Maps what was thrown; it must not keep the error. */
  readonly outcomeOf: (error: unknown) => DeliveryOutcome;
}

/** Waits before the repeats of a PUT. */
const REPEAT_DELAYS_MS = [200, 400];
const REPEATED_STATUSES: ReadonlySet<number | undefined> = new Set([undefined, 502, 503, 504]);
const PROBE_DEADLINE_MS = 5_000;

interface Request {
  readonly method: 'PUT' | 'GET';
  readonly path: string;
  readonly body?: string;
  readonly signal: AbortSignal;
}

interface Answer {
  status: number | undefined;
  body: string;
}

interface Reception {
  readonly cut: LinkedAbort;
  readonly answer: Answer;
}

export class StatusClient {
  readonly #options: StatusClientOptions;
  readonly #agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly #closing = new AbortController();
  #client: Promise<Got> | undefined;
  /** Requests under way. */
  #busy = 0;
  #idle: (() => void) | undefined;

  constructor(options: StatusClientOptions) {
    this.#options = options;
    const { connect, connections } = options;
    setMaxListeners(0, this.#closing.signal); // one for each exchange under way
    const pool = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections, timeout: 60_000 };
    this.#agents = { http: new HttpAgent(pool), https: new HttpsAgent({ ...pool, ...connect }) };
  }

  /** Repeats a PUT that did not get through, twice at most, all inside `deadlineMs`. */
  async put(
    messageId: string,
    update: StatusUpdate,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    const stop = new LinkedAbort([signal, this.#closing.signal]);
    const until = this.#options.clock.now() + deadlineMs;
    try {
      return await this.#counted(this.#putUntil(until, putRequest(messageId, update, stop.signal)));
    } finally {
      stop.release();
    }
  }

  async probe(): Promise<ProbeResult> {
    const { signal } = this.#closing;
    const request = { method: 'GET' as const, path: this.#options.healthEndpoint, signal };
    const outcome = await this.#counted(this.#exchange(request, PROBE_DEADLINE_MS));
    if (outcome.kind === 'delivered') return 'reachable';
    if (outcome.kind === 'aborted' || outcome.status === undefined) return 'unreachable';
    if (!outcome.reachable) return 'unhealthy';
    return outcome.status === 404 || outcome.status === 405 ? 'unsupported' : 'reachable';
  }

  /** Stops when what is under way has ended; it must get nothing new. */
  async retire(): Promise<void> {
    if (this.#busy > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.stop();
  }

  /** Ends what is under way as `aborted`. */
  async stop(): Promise<void> {
    this.#closing.abort();
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #counted<T>(work: Promise<T>): Promise<T> {
    this.#busy++;
    try {
      return await work;
    } finally {
      if (--this.#busy === 0) this.#idle?.();
    }
  }

  async #putUntil(endMs: number, request: Request): Promise<DeliveryOutcome> {
    const { clock } = this.#options;
    for (let repeat = 0; ; repeat++) {
      const outcome = await this.#exchange(request, endMs - clock.now());
      if (outcome.kind !== 'failed' || !REPEATED_STATUSES.has(outcome.status)) return outcome;
      const delayMs = REPEAT_DELAYS_MS[repeat];
      if (delayMs === undefined || clock.now() + delayMs >= endMs) return outcome;
      await clock.sleep(delayMs, request.signal); // the next exchange sees the abort
    }
  }

  async #exchange(request: Request, deadlineMs: number): Promise<DeliveryOutcome> {
    if (request.signal.aborted) return ABORTED;
    const cut = new LinkedAbort([request.signal]);
    const answer: Answer = { status: undefined, body: '' };
    try {
      await this.#send(request, deadlineMs, { cut, answer });
    } catch (error) {
      // A status in hand stands, however the body ended.
      if (answer.status === undefined) return request.signal.aborted ? ABORTED : this.#options.outcomeOf(error);
    } finally {
      cut.release();
    }
    return answer.status === undefined ? ABORTED : outcomeOfStatus(answer.status, answer.body);
  }

  /** Fills in `answer` as it comes. got reads bodies whole and has no limit, so `cut` ends a long one. */
  async #send(request: Request, deadlineMs: number, { cut, answer }: Reception): Promise<void> {
    const got = await (this.#client ??= this.#createClient());
    const { path, body, method } = request;
    const exchange = got(this.#options.url + path, {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
      timeout: { request: Math.max(1, deadlineMs) },
      signal: cut.signal,
    });
    // got's own 'response' comes only after the body.
    void exchange.on('request', (sent) => {
      sent.once('response', (response) => (answer.status = response.statusCode));
    });
    void exchange.on('downloadProgress', ({ transferred }) => {
      if (transferred > MAX_BODY_BYTES) cut.abort();
    });
    answer.body = (await exchange).body;
  }

  async #createClient(): Promise<Got> {
    const { got } = await import('got');
    return got.extend({
      agent: this.#agents,
      retry: { limit: 0 },
      throwHttpErrors: false,
      followRedirect: false,
      decompress: false,
      http2: false,
      https: { rejectUnauthorized: this.#options.connect.rejectUnauthorized ?? true },
      headers: { 'accept-encoding': 'identity', 'user-agent': undefined },
    });
  }
}

function putRequest(messageId: string, update: StatusUpdate, signal: AbortSignal): Request {
  const { status, attemptCount, errorMessage } = update;
  return {
    method: 'PUT',
    path: `/internal/messages/${encodeURIComponent(wellFormed(messageId))}/status`,
    body: JSON.stringify({ status, attempt_count: attemptCount, error_message: errorMessage }),
    signal,
  };
}

/** encodeURIComponent throws on half a surrogate pair; UTF-8 turns it into U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
