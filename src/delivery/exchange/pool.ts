import { buildConnector, Pool, type Dispatcher } from 'undici';
import type { ConnectOptions } from '../connect-options.js';
import type { HttpExchange } from './http-exchange.js';
import { ServerConnection, type ConnectionAge } from './server-connection.js';

/** uvicorn closes idle sockets after 5 s and sends no hint. */
const KEEP_ALIVE_MS = 4_000;
/** undici's own limit is 16 KiB: an answer with more would be a failed delivery, again and again. */
const MAX_HEADER_BYTES = 65_536;

interface PoolOptions {
  readonly origin: string;
  readonly connections: number;
  /** The total deadline of a request, which bounds the wait for a connection too. */
  readonly deadlineMs: number;
  readonly connect: ConnectOptions;
  readonly age: ConnectionAge;
}

/** Sockets to the main server, one request at a time on each. */
export class DeliveryPool {
  readonly #options: PoolOptions;
  readonly #kept: Pool;
  #single: Pool | undefined;
  #stopped = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#kept = this.#createPool();
  }

  /** On a kept socket where one is free. */
  dispatch(request: Dispatcher.DispatchOptions, exchange: HttpExchange): void {
    this.#kept.dispatch(request, exchange);
  }

  /** On a socket that never served before and never will again: other kept ones may be as dead as the one that failed. */
  dispatchFresh(request: Dispatcher.DispatchOptions, exchange: HttpExchange): void {
    if (!this.#single && !this.#stopped) this.#single = this.#createPool();
    (this.#single ?? this.#kept).dispatch({ ...request, reset: true }, exchange);
  }

  /** Stops when what is under way has ended; it must get nothing new. */
  async retire(): Promise<void> {
    await Promise.all([this.#kept.close(), this.#single?.close()]);
  }

  /** What is under way ends with an error. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#kept.destroy(), this.#single?.destroy()]);
  }

  /**
   * undici's own timers are off (0): they are coarse, restart with each chunk, and exchanges-in-flight.ts bounds the
   * whole. That of the connection ends an attempt to connect whose request was cut.
   */
  #createPool(): Pool {
    const { origin, connections, deadlineMs, connect, age } = this.#options;
    const connector = buildConnector({ ...connect, timeout: deadlineMs });
    return new Pool(origin, {
      connections,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
      factory: (url, options) => new ServerConnection(url, { ...options, connect: connector }, age),
    });
  }
}
