import type { Dispatcher } from 'undici';
import type { ProbeResult } from '../domain/circuit-breaker.js';
import { ABORTED, outcomeOfStatus, type DeliveryOutcome } from '../domain/delivery-outcome.js';
import type { Clock } from '../shared/time/clock.js';
import type { Config } from '../shared/config/config.js';
import type { Log } from '../shared/logger/log.js';
import { connectOptions } from './connect-options.js';
import { outcomeOfError } from './connection-fault.js';
import { DeliveryPool } from './pool.js';
import { DeliveryPost, type PostResult } from './post.js';
import type { MainServer, StatusUpdate } from './main-server.js';
import { PostsInFlight } from './posts-in-flight.js';
import { StatusClient } from './status.js';
import type { Credentials } from './tls-credentials.js';

interface MainServerClientOptions {
  readonly config: Pick<Config, 'mainServer' | 'worker'>;
  /** Undefined for `http://`. */
  readonly credentials: Credentials | undefined;
  readonly workerId: string;
  readonly clock: Clock;
  readonly log: Log;
}

const HEADERS = ['content-type', 'application/json', 'accept-encoding', 'identity'];

/** The sockets of one set of credentials. */
interface Connections {
  readonly pool: DeliveryPool;
  readonly statusClient: StatusClient;
}

/** Its sockets open as requests need them. */
export class MainServerClient implements MainServer {
  readonly #options: MainServerClientOptions;
  readonly #path: string;
  readonly #bodyEnd: string;
  readonly #inFlight: PostsInFlight;
  #credentials: Credentials | undefined;
  #connections: Connections;
  /** Of former credentials, until what is under way on them has ended. */
  readonly #retiring = new Set<Connections>();
  #stopped = false;

  constructor(options: MainServerClientOptions) {
    this.#options = options;
    const { config, credentials, workerId, clock } = options;
    const { url, deliverEndpoint, timeoutMs } = config.mainServer;
    this.#path = new URL(url).pathname.replace(/\/$/, '') + deliverEndpoint;
    this.#bodyEnd = `,"worker_id":${JSON.stringify(workerId)}}`;
    this.#inFlight = new PostsInFlight(timeoutMs, clock);
    this.#credentials = credentials;
    this.#connections = this.#connectionsWith(credentials);
  }

  deliver(messageId: string, signal: AbortSignal): Promise<DeliveryOutcome> {
    if (signal.aborted || this.#stopped) return Promise.resolve(ABORTED);
    const request: Dispatcher.DispatchOptions = {
      path: this.#path,
      method: 'POST',
      headers: HEADERS,
      body: `{"message_id":${JSON.stringify(messageId)}${this.#bodyEnd}`,
    };
    const startMs = this.#options.clock.now();
    return new Promise((resolve) => {
      const first = this.#track(
        new DeliveryPost(startMs, signal, (result) => {
          this.#inFlight.delete(first);
          if (result.kind === 'error' && result.stale) this.#repeat(request, first, resolve);
          else resolve(this.#outcomeOfResult(result));
        }),
      );
      this.#connections.pool.dispatch(request, first);
    });
  }

  updateStatus(
    messageId: string,
    update: StatusUpdate,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    return this.#connections.statusClient.put(messageId, update, deadlineMs, signal);
  }

  probe(): Promise<ProbeResult> {
    return this.#connections.statusClient.probe();
  }

  useCredentials(credentials: Credentials): void {
    if (this.#stopped) return;
    const former = this.#connections;
    this.#connections = this.#connectionsWith(credentials);
    this.#credentials = credentials;
    this.#retiring.add(former);
    void Promise.all([former.pool.retire(), former.statusClient.retire()]).then(() => this.#retiring.delete(former));
  }

  /** Waits for no answer: ends what is under way as `aborted` and closes the sockets. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const all = [this.#connections, ...this.#retiring];
    await Promise.all([
      this.#inFlight.stop(),
      ...all.map(({ statusClient }) => statusClient.stop()),
      ...all.map(({ pool }) => pool.stop()),
    ]);
  }

  #connectionsWith(credentials: Credentials | undefined): Connections {
    const { config, clock } = this.#options;
    const { url, healthEndpoint, timeoutMs } = config.mainServer;
    const connect = connectOptions(credentials);
    const connections = config.worker.concurrency;
    const outcomeOf = (error: unknown) => this.#outcomeOf(error);
    return {
      pool: new DeliveryPool({ origin: new URL(url).origin, connections, deadlineMs: timeoutMs, connect }),
      statusClient: new StatusClient({ url, healthEndpoint, connections, connect, clock, outcomeOf }),
    };
  }

  /** Once, inside the same deadline: the server closed the kept socket as we wrote, and has read nothing. */
  #repeat(request: Dispatcher.DispatchOptions, first: DeliveryPost, resolve: (outcome: DeliveryOutcome) => void): void {
    if (this.#stopped) return resolve(ABORTED);
    this.#options.log.debug('The main server closed an idle connection, repeating the request on a new one');
    const second = this.#track(
      new DeliveryPost(first.startMs, first.signal, (result) => {
        this.#inFlight.delete(second);
        resolve(this.#outcomeOfResult(result));
      }),
    );
    this.#connections.pool.dispatchFresh(request, second);
  }

  #track(post: DeliveryPost): DeliveryPost {
    this.#inFlight.add(post);
    return post;
  }

  #outcomeOfResult(result: PostResult): DeliveryOutcome {
    switch (result.kind) {
      case 'answer':
        return outcomeOfStatus(result.status, result.body);
      case 'error':
        return this.#stopped ? ABORTED : this.#outcomeOf(result.error);
      case 'settled':
        return result.outcome;
    }
  }

  #outcomeOf(error: unknown): DeliveryOutcome {
    return outcomeOfError(error, this.#credentials, this.#options.clock.wallNow());
  }
}
