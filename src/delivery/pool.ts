import { buildConnector, Client, Pool, type Dispatcher } from 'undici';
import { DeliveryPost, type ServedCount } from './post.js';
import type { ConnectOptions } from './connect-options.js';
import { withOneWrite } from './one-write.js';

/** uvicorn closes idle sockets after 5 s and sends no hint. */
const KEEP_ALIVE_MS = 4_000;
const MAX_CONNECT_MS = 10_000;

interface PoolOptions {
  readonly origin: string;
  readonly connections: number;
  /** The total deadline of a POST, which bounds the wait for a connection too. */
  readonly deadlineMs: number;
  readonly connect: ConnectOptions;
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
  dispatch(request: Dispatcher.DispatchOptions, post: DeliveryPost): void {
    this.#kept.dispatch(request, post);
  }

  /** On a socket that never served before and never will again: other kept ones may be as dead as the one that failed. */
  dispatchFresh(request: Dispatcher.DispatchOptions, post: DeliveryPost): void {
    if (!this.#single && !this.#stopped) this.#single = this.#createPool();
    (this.#single ?? this.#kept).dispatch({ ...request, reset: true }, post);
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

  /** undici's own timers are off (0): they are coarse, restart with each chunk, and posts-in-flight.ts bounds the whole. */
  #createPool(): Pool {
    const { origin, connections, deadlineMs, connect } = this.#options;
    return new Pool(origin, {
      connections,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: withOneWrite(buildConnector({ ...connect, timeout: Math.min(deadlineMs, MAX_CONNECT_MS) })),
      factory: (url, options) => new CountingClient(url, options),
    });
  }
}

/** Tells each POST whether its socket served one before, which undici keeps to itself. */
class CountingClient extends Client implements ServedCount {
  served = 0;

  constructor(url: URL, options: Client.Options) {
    super(url, options);
    this.on('connect', () => (this.served = 0));
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (handler instanceof DeliveryPost) handler.connection = this;
    return super.dispatch(options, handler);
  }
}
