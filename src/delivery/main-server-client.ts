import type { Dispatcher } from 'undici';
import type { ProbeResult } from '../domain/flow/circuit-breaker.js';
import { ABORTED, type DeliveryOutcome } from '../domain/delivery-outcome.js';
import type { Clock } from '../shared/time/clock.js';
import type { Deadline } from '../shared/time/deadline.js';
import type { Random } from '../shared/time/random.js';
import type { Config } from '../shared/config/config.js';
import type { Log } from '../shared/logger/log.js';
import { connectOptions } from './connect-options.js';
import { outcomeOfResult } from './exchange/exchange-outcome.js';
import { ExchangesInFlight, sweepMsFor } from './exchange/exchanges-in-flight.js';
import { HttpExchange, type ExchangeResult } from './exchange/http-exchange.js';
import type { MainServer, StatusUpdate } from './main-server.js';
import { DeliveryPool } from './exchange/pool.js';
import { StatusClient } from './status.js';
import type { Credentials } from './tls-credentials.js';

interface MainServerClientOptions {
  readonly config: Pick<Config, 'mainServer' | 'worker'>;
  /** Undefined for `http://`. */
  readonly credentials: Credentials | undefined;
  readonly workerId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const HEADERS = ['content-type', 'application/json', 'accept-encoding', 'identity'];

type Told = (outcome: DeliveryOutcome) => void;

const ignored: Told = () => undefined;

/** The sockets of one set of credentials. */
interface Connections {
  readonly pool: DeliveryPool;
  readonly statusClient: StatusClient;
}

/** Its sockets open as requests need them. */
export class MainServerClient implements MainServer {
  readonly #options: MainServerClientOptions;
  /** Of MAIN_SERVER_URL, without a slash at the end. */
  readonly #basePath: string;
  readonly #path: string;
  readonly #bodyEnd: string;
  readonly #timeoutMs: number;
  readonly #inFlight: ExchangesInFlight;
  #credentials: Credentials | undefined;
  #connections: Connections;
  /** Of former credentials, until what is under way on them has ended. */
  readonly #retiring = new Set<Connections>();
  #stopped = false;

  constructor(options: MainServerClientOptions) {
    this.#options = options;
    const { config, credentials, workerId, clock } = options;
    const { url, deliverEndpoint, timeoutMs } = config.mainServer;
    this.#basePath = new URL(url).pathname.replace(/\/$/, '');
    this.#path = this.#basePath + deliverEndpoint;
    this.#bodyEnd = `,"worker_id":${JSON.stringify(workerId)}}`;
    this.#timeoutMs = timeoutMs;
    this.#inFlight = new ExchangesInFlight(sweepMsFor(timeoutMs), clock);
    this.#credentials = credentials;
    this.#connections = this.#connectionsWith(credentials);
  }

  deliver(messageId: string, signal: AbortSignal, onOutcome: Told = ignored): Promise<DeliveryOutcome> {
    if (signal.aborted || this.#stopped) {
      onOutcome(ABORTED);
      return Promise.resolve(ABORTED);
    }
    const request: Dispatcher.DispatchOptions = {
      path: this.#path,
      method: 'POST',
      headers: HEADERS,
      body: `{"message_id":${JSON.stringify(messageId)}${this.#bodyEnd}`,
    };
    const startMs = this.#options.clock.now();
    return new Promise((resolve) => {
      const end = (outcome: DeliveryOutcome): void => {
        onOutcome(outcome);
        resolve(outcome);
      };
      const first = this.#exchange(startMs, signal, (result) => {
        if (result.kind === 'error' && result.stale) this.#repeat(request, first, end);
        else end(this.#outcomeOf(result));
      });
      this.#connections.pool.dispatch(request, first);
    });
  }

  updateStatus(
    messageId: string,
    update: StatusUpdate,
    deadline: Deadline,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    return this.#connections.statusClient.put(messageId, update, deadline, signal);
  }

  hasRoute(): Promise<boolean> {
    return this.#connections.statusClient.hasRoute(this.#options.config.mainServer.deliverEndpoint);
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
    const { config, clock, random } = this.#options;
    const { url, healthEndpoint, timeoutMs, maxConnectionAgeMs } = config.mainServer;
    const connect = connectOptions(credentials);
    const { origin } = new URL(url);
    const age = { maxAgeMs: maxConnectionAgeMs, clock, random };
    const newPool = () =>
      new DeliveryPool({ origin, connections: config.worker.concurrency, deadlineMs: timeoutMs, connect, age });
    const outcomeOf = (result: ExchangeResult) => this.#outcomeOf(result);
    const basePath = this.#basePath;
    const statusClient = new StatusClient({ pool: newPool(), basePath, healthEndpoint, clock, outcomeOf });
    return { pool: newPool(), statusClient };
  }

  /**
   * Once, inside the same deadline: the server closed the kept socket as we wrote, and has most probably read nothing.
   * Or it read the request and died of it: so a repeat that fails leaves open what became of the first.
   */
  #repeat(request: Dispatcher.DispatchOptions, first: HttpExchange, end: Told): void {
    if (this.#stopped) return end(ABORTED);
    this.#options.log.debug('The main server closed an idle connection, repeating the request on a new one');
    const second = this.#exchange(first.startMs, first.signal, (result) => {
      const outcome = this.#outcomeOf(result);
      end(outcome.kind === 'failed' ? { ...outcome, fateUnknown: true } : outcome);
    });
    this.#connections.pool.dispatchFresh(request, second);
  }

  #exchange(startMs: number, signal: AbortSignal, ended: (result: ExchangeResult) => void): HttpExchange {
    const exchange: HttpExchange = new HttpExchange({
      startMs,
      untilMs: startMs + this.#timeoutMs,
      signal,
      end: (result) => {
        this.#inFlight.delete(exchange);
        ended(result);
      },
    });
    this.#inFlight.add(exchange);
    return exchange;
  }

  #outcomeOf(result: ExchangeResult): DeliveryOutcome {
    if (result.kind === 'error' && this.#stopped) return ABORTED;
    return outcomeOfResult(result, this.#credentials, this.#options.clock.wallNow());
  }
}
