/**
 * One connection to Redis (client.ts says how it is set). An `end` that nobody asked for is terminal in ioredis: a new
 * client takes its place.
 *
 *   built ──start──→ connecting ──→ examining ──→ ready ──lost──→ connecting, until stop
 *                        ↑              │
 *                        └──────────────┘ no answer in time, no password, a replica where a Sentinel named the primary
 *
 * While Redis still loads its file it is examined again and again.
 */
import { Cluster } from 'ioredis';
import { RedisUnavailableError } from '../../shared/errors.js';
import type { Life } from '../../shared/life.js';
import type { Clock, Timer } from '../../shared/time/clock.js';
import {
  createRedisClient,
  DISCONNECT_TIMEOUT_MS,
  readRedisTls,
  RECONNECT_CEILING_MS,
  reconnectDelayMs,
  type RedisClient,
  type RedisClientOptions,
  type RedisTls,
} from './client.js';
import { RedisCommand } from './command.js';
import { examine, type Server } from './examination.js';
import { SilenceLimit } from './silence-limit.js';
import { address, lostProblem, plainProblem } from './problem.js';
import { isReply, replyCode } from './reply.js';
import { askNextSentinel } from './sentinels.js';

export type RedisArgument = string | Buffer | number;

interface RedisConnectionOptions extends RedisClientOptions {
  readonly clock: Clock;
}

interface ConnectionEvents {
  /** Usable; after every (re)connection. */
  onReady?(): void;
  /** Not usable any more, or an attempt to connect failed. Called for every attempt. */
  onLost?(reason: string): void;
}

/** Silence after a command, which nothing blocks, that means the connection is dead. */
export const CONTROL_SILENCE_MS = 2_500;
/**
 * From a connection to the first word over it. A host that takes connections and says nothing must not hold us: its name
 * may lead elsewhere by now, and we must be there within 3 s of that.
 */
const FIRST_WORD_MS = 1_900;
/** What lies in the socket already counts as said: a process without processor time sees its timers before its sockets. */
const LAST_LOOK_MS = 50;
const LOADING_LOOK_MS = 500;

export class RedisConnection implements Life {
  readonly #options: RedisConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #silence: SilenceLimit;
  #tls: RedisTls | undefined;
  #client: RedisClient | undefined;
  #stopping: Promise<void> | undefined;
  #rebuild: Timer | undefined;
  /** What it speaks to, once that is known to be usable. */
  #server: Server | undefined;
  /** Ends with the connection that is examined. */
  #examination = new AbortController();
  #firstWord: Timer | undefined;
  /** In a row. */
  #failures = 0;
  /** Of those who wait for the connection to be usable. */
  #arrival = new AbortController();
  #lastProblem = 'not connected yet';
  #lastError: Error | undefined;
  /** Of the node or the Sentinel that was tried last. */
  #nodeProblem: string | undefined;

  constructor(options: RedisConnectionOptions, events: ConnectionEvents = {}) {
    this.#options = options;
    this.#events = events;
    this.#silence = new SilenceLimit(options.silenceMs);
  }

  /** Connects in the background. @throws ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  start(): void {
    if (this.#client || this.#stopping) return;
    this.#tls = readRedisTls(this.#options.redis);
    this.#client = this.#open();
  }

  /** What is under way rejects. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#end());
  }

  isReady(): boolean {
    return this.#server !== undefined && this.#client?.status === 'ready';
  }

  /** Changes with every start of a server, and with the server; empty while there is none, and where it does not tell. */
  get runId(): string {
    return this.isReady() ? (this.#server?.runId ?? '') : '';
  }

  /** True with a cluster, where a command without a key reaches any node. */
  get isCluster(): boolean {
    return this.#client instanceof Cluster;
  }

  /** What made the last failure, where it was an error. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** What the last failure said, in plain words. */
  get problem(): string {
    return this.#lastProblem;
  }

  /** Resolves when the connection is usable or after `timeoutMs`, whichever comes first. */
  async whenReady(timeoutMs: number): Promise<void> {
    if (this.isReady() || this.#stopping) return;
    await this.#options.clock.sleep(timeoutMs, this.#arrival.signal);
  }

  /** One command; bulk replies are Buffers. Rejects with RedisUnavailableError only. */
  async call(command: string, ...args: RedisArgument[]): Promise<unknown> {
    const client = this.#client;
    if (!client || !this.isReady()) throw new RedisUnavailableError(this.describe(this.#lastProblem), false);
    const begun = this.#silence.begin(client, args);
    try {
      return await client.sendCommand(new RedisCommand(command, args));
    } catch (error) {
      const refused = isReply(error);
      const text = refused ? this.#describeRefusal(error.message) : this.describe(lostProblem(error));
      throw new RedisUnavailableError(text, !refused, { cause: error });
    } finally {
      this.#silence.end(client, begun);
    }
  }

  /** For a command that Redis may refuse without harm: a refusal gives `fallback`, a lost connection still rejects. */
  async callPermitted(fallback: unknown, command: string, ...args: RedisArgument[]): Promise<unknown> {
    try {
      return await this.call(command, ...args);
    } catch (error) {
      if (replyCode(error) !== undefined && this.isReady()) return fallback;
      throw error;
    }
  }

  /** Gives up the connection for a new one; what is under way on it rejects. */
  reconnect(): void {
    this.#client?.disconnect(true);
  }

  describe(problem: string): string {
    return `Cannot connect to Redis at ${address(this.#options.redis)}: ${problem}`;
  }

  /** Redis answers, so the operator must not look at the network: full, read-only, busy, or a key of another type. */
  #describeRefusal(reply: string): string {
    return `Redis at ${address(this.#options.redis)} refuses a command: ${reply}`;
  }

  #open(): RedisClient {
    const client = createRedisClient(this.#options, this.#tls, {
      retryDelayMs: () => reconnectDelayMs(++this.#failures, this.#options.random),
      onNodeProblem: (error, { host, port }) => {
        const { redis } = this.#options;
        this.#lastError = error;
        const what = redis.sentinels.length > 0 ? 'Sentinel' : 'node';
        this.#nodeProblem = this.#lastProblem = `${what} ${host}:${port}: ${plainProblem(error, redis)}`;
      },
    });
    client.on('connect', () => this.#awaitFirstWord(client));
    client.on('ready', () => void this.#examine(client));
    client.on('error', (error: Error) => this.#noteError(error));
    client.on('close', () => this.#noteClosed());
    client.on('end', () => this.#reopen());
    // rejects at the first failed attempt although attempts go on; 'error' has told why
    client.connect().catch(() => undefined);
    return client;
  }

  #noteError(error: Error & { readonly lastNodeError?: Error }): void {
    const cause = error.lastNodeError ?? error;
    // what ended the socket of a node or a Sentinel was told apart
    const isClosed = cause.message.endsWith('Connection is closed.');
    if (!isClosed) this.#lastError = cause;
    this.#lastProblem = (isClosed && this.#nodeProblem) || plainProblem(cause, this.#options.redis);
  }

  #noteClosed(): void {
    this.#firstWord?.cancel();
    this.#examination.abort();
    this.#server = undefined;
    if (!this.#stopping) this.#events.onLost?.(this.#lastProblem);
  }

  #awaitFirstWord(client: RedisClient): void {
    const { clock } = this.#options;
    this.#firstWord?.cancel();
    this.#firstWord = clock.after(FIRST_WORD_MS, () => {
      this.#firstWord = clock.after(LAST_LOOK_MS, () =>
        this.#giveUp(client, 'it takes connections and does not answer'),
      );
    });
  }

  async #examine(client: RedisClient): Promise<void> {
    this.#examination.abort();
    const { signal } = (this.#examination = new AbortController());
    try {
      let server = await this.#look(client);
      for (; server.isLoading && !signal.aborted; server = await this.#look(client)) {
        this.#lastProblem = 'it is still loading its data';
        this.#events.onLost?.(this.#lastProblem);
        await this.#options.clock.sleep(LOADING_LOOK_MS, signal);
        if (signal.aborted) return;
      }
      if (!signal.aborted) this.#noteExamined(client, server);
    } catch (error) {
      // a lost connection has told its own reason
      if (signal.aborted || !isReply(error)) return;
      this.#lastError = error;
      this.#giveUp(client, plainProblem(error, this.#options.redis));
    }
  }

  /** A cluster's client has looked itself, and its nodes are many. */
  async #look(client: RedisClient): Promise<Server> {
    const known: Server = { runId: '', role: 'unknown', isLoading: false };
    const server = this.isCluster
      ? known
      : await examine((command, ...args) => client.sendCommand(new RedisCommand(command, args)) as Promise<unknown>);
    this.#firstWord?.cancel();
    return server;
  }

  #noteExamined(client: RedisClient, server: Server): void {
    if (server.role === 'replica' && this.#options.redis.sentinels.length > 0) {
      askNextSentinel(client);
      this.#giveUp(client, 'the Sentinels name a replica as the primary');
      return;
    }
    this.#server = server;
    this.#failures = 0;
    this.#nodeProblem = undefined;
    this.#lastProblem = 'the connection was lost';
    this.#arrive();
    this.#events.onReady?.();
  }

  #giveUp(client: RedisClient, problem: string): void {
    if (this.#stopping) return;
    this.#lastProblem = problem;
    client.disconnect(true);
  }

  #reopen(): void {
    if (this.#stopping) return;
    this.#rebuild = this.#options.clock.after(RECONNECT_CEILING_MS, () => {
      this.#client = this.#open();
    });
  }

  #arrive(): void {
    this.#arrival.abort();
    this.#arrival = new AbortController();
  }

  async #end(): Promise<void> {
    this.#rebuild?.cancel();
    this.#firstWord?.cancel();
    this.#examination.abort();
    this.#arrive();
    const client = this.#client;
    if (!client) return;
    const ended = new AbortController();
    client.once('end', () => ended.abort());
    client.disconnect();
    // one that waits to connect again has no socket, and ioredis tells nothing of its end
    await this.#options.clock.sleep(DISCONNECT_TIMEOUT_MS, ended.signal);
  }
}
