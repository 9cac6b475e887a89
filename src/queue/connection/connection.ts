/**
 * One connection to Redis (client.ts says how it is set). An `end` that nobody asked for is terminal in ioredis: a new
 * client takes its place.
 *
 *   built ──start──→ connecting ──→ ready ──lost──→ connecting, until stop
 */
import { Cluster, ReplyError as ReplyErrorClass } from 'ioredis';
import type { Config } from '../../shared/config/config.js';
import { reasonOf, RedisUnavailableError } from '../../shared/errors.js';
import type { Life } from '../../shared/life.js';
import type { Clock, Timer } from '../../shared/time/clock.js';
import {
  createRedisClient,
  DISCONNECT_TIMEOUT_MS,
  readRedisTls,
  RECONNECT_CEILING_MS,
  type RedisClient,
  type RedisClientOptions,
  type RedisTls,
} from './client.js';
import { RedisCommand } from './command.js';
import { Patience } from './patience.js';

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
export const CONTROL_SILENCE_MS = 3_000;

export class RedisConnection implements Life {
  readonly #options: RedisConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #patience: Patience;
  #tls: RedisTls | undefined;
  #client: RedisClient | undefined;
  #stopping: Promise<void> | undefined;
  #rebuild: Timer | undefined;
  /** Of those who wait for the connection to be usable. */
  #arrival = new AbortController();
  #lastProblem = 'not connected yet';

  constructor(options: RedisConnectionOptions, events: ConnectionEvents = {}) {
    this.#options = options;
    this.#events = events;
    this.#patience = new Patience(options.silenceMs);
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
    return this.#client?.status === 'ready';
  }

  /** True with a cluster, where a command without a key reaches any node. */
  get isCluster(): boolean {
    return this.#client instanceof Cluster;
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
    if (client?.status !== 'ready') throw new RedisUnavailableError(this.describe(this.#lastProblem), false);
    try {
      return await this.#patience.during(client, args, () => client.sendCommand(new RedisCommand(command, args)));
    } catch (error) {
      const refused = isReply(error);
      const text = refused ? this.#describeRefusal(error.message) : this.describe(reasonOf(error));
      throw new RedisUnavailableError(text, !refused, { cause: error });
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
    const client = createRedisClient(this.#options, this.#tls);
    client.on('ready', () => {
      this.#lastProblem = 'the connection was lost';
      this.#arrive();
      this.#events.onReady?.();
    });
    client.on('error', (error: Error) => {
      this.#lastProblem = plainProblem(error);
    });
    client.on('close', () => {
      if (!this.#stopping) this.#events.onLost?.(this.#lastProblem);
    });
    client.on('end', () => this.#reopen());
    // rejects at the first failed attempt although attempts go on; 'error' has told why
    client.connect().catch(() => undefined);
    return client;
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

/** The first word of an error reply, Redis's own code for it; undefined for anything else. */
export function replyCode(error: unknown): string | undefined {
  const reply = error instanceof RedisUnavailableError ? error.cause : error;
  return isReply(reply) ? reply.message.split(' ', 1)[0] : undefined;
}

/** The address an operator knows, for messages. */
export function address(redis: Config['redis']): string {
  if (redis.clusterNodes.length > 0) return redis.clusterNodes.map((n) => `${n.host}:${n.port}`).join(',');
  if (redis.sentinels.length > 0) {
    return `${redis.sentinelName} (sentinels ${redis.sentinels.map((n) => `${n.host}:${n.port}`).join(',')})`;
  }
  return `${redis.host}:${redis.port}`;
}

function isReply(error: unknown): error is Error {
  return error instanceof (ReplyErrorClass as new () => Error);
}

function plainProblem(error: Error & { code?: string }): string {
  if (error.code === 'ECONNREFUSED') return 'Connection refused (is Redis running there? see REDIS_HOST, REDIS_PORT)';
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return 'the host name is unknown (see REDIS_HOST)';
  const reply = replyCode(error);
  if (reply === 'WRONGPASS' || reply === 'NOAUTH')
    return 'the password is refused (see REDIS_PASSWORD, REDIS_USERNAME)';
  if (reply === 'NOPERM') return `the user lacks a permission (see REDIS_USERNAME): ${error.message}`;
  return error.message;
}
