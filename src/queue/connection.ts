/**
 * One connection to Redis that never gives up, never resends and never hangs.
 *
 * ioredis settings, each measured on 6.0.0:
 * - `autoResendUnfulfilledCommands: false` with `maxRetriesPerRequest: 0`: a command in flight at a lost connection
 *   rejects at once. Resent silently, a pop would run twice; without the second option its promise stays pending for ever.
 * - `socketTimeout` guards against half-open sockets; `commandTimeout` and `blockingTimeout` would drop late replies.
 * - `enableOfflineQueue: false`: nothing fires minutes later.
 * - `maxLoadingRetryTime`: a Redis that loads its file is asked again after the seconds that it still expects to need, 10 at
 *   most, which was up to 3 s too late.
 * - an `end` that nobody asked for is terminal in ioredis, so a new client is built.
 */
import { readFileSync } from 'node:fs';
import { Cluster, Redis, ReplyError as ReplyErrorClass } from 'ioredis';
import type { Config } from '../shared/config/config.js';
import { ConfigError, reasonOf, RedisUnavailableError } from '../shared/errors.js';
import type { Clock, Timer } from '../shared/time/clock.js';
import { RedisCommand } from './command.js';

export type RedisArgument = string | Buffer | number;

export interface ConnectionOptions {
  readonly redis: Config['redis'];
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** Silence after a command that means the connection is dead, ms. */
  readonly silenceMs: number;
  readonly clock: Clock;
}

export interface ConnectionEvents {
  /** Usable; after every (re)connection. */
  onReady?(): void;
  /** Not usable any more, or an attempt to connect failed. Called for every attempt. */
  onLost?(reason: string): void;
}

// Reconnecting must fit into the 2 s within which a worker consumes again after a fault.
const RECONNECT_FLOOR_MS = 50;
const RECONNECT_CEILING_MS = 800;
const CONNECT_TIMEOUT_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;
const LOADING_LOOK_MS = 500;
const DISCONNECT_TIMEOUT_MS = 100;
const RECONNECTING_REPLIES = new Set(['READONLY', 'UNBLOCKED', 'LOADING', 'MASTERDOWN']);

/** @throws ConfigError when REDIS_TLS_CA_PATH cannot be read. */
export class RedisConnection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #tls: Tls | undefined;
  #client: Redis | Cluster;
  #closing = false;
  #rebuild: Timer | undefined;
  #lastProblem = 'not connected yet';

  constructor(options: ConnectionOptions, events: ConnectionEvents = {}) {
    this.#options = options;
    this.#events = events;
    this.#tls = options.redis.tls ? readTls(options.redis) : undefined;
    this.#client = this.#open();
  }

  isReady(): boolean {
    return this.#client.status === 'ready';
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
    if (this.isReady() || this.#closing) return;
    const client = this.#client;
    const arrived = new AbortController();
    const arrive = () => arrived.abort();
    client.once('ready', arrive);
    await this.#options.clock.sleep(timeoutMs, arrived.signal);
    client.off('ready', arrive);
  }

  /** One command; bulk replies are Buffers. Rejects with RedisUnavailableError only. */
  async call(command: string, ...args: RedisArgument[]): Promise<unknown> {
    if (!this.isReady()) throw new RedisUnavailableError(this.describe(this.#lastProblem), false);
    try {
      return await this.#client.sendCommand(new RedisCommand(command, args));
    } catch (error) {
      const refused = isReply(error);
      const text = refused ? this.#describeRefusal(error.message) : this.describe(reasonOf(error));
      throw new RedisUnavailableError(text, !refused, { cause: error });
    }
  }

  /** Gives up the connection for a new one; what is under way on it rejects. */
  reconnect(): void {
    this.#client.disconnect(true);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#rebuild?.cancel();
    this.#client.disconnect();
  }

  describe(problem: string): string {
    return `Cannot connect to Redis at ${address(this.#options.redis)}: ${problem}`;
  }

  /** Redis answers, so the operator must not look at the network: full, read-only, busy, or a key of another type. */
  #describeRefusal(reply: string): string {
    return `Redis at ${address(this.#options.redis)} refuses a command: ${reply}`;
  }

  #open(): Redis | Cluster {
    const client = createClient(this.#options, this.#tls);
    client.on('ready', () => {
      this.#lastProblem = 'the connection was lost';
      this.#events.onReady?.();
    });
    client.on('error', (error: Error) => {
      this.#lastProblem = plainProblem(error);
    });
    client.on('close', () => {
      if (!this.#closing) this.#events.onLost?.(this.#lastProblem);
    });
    client.on('end', () => this.#reopen());
    // rejects at the first failed attempt although attempts go on; 'error' has told why
    client.connect().catch(() => undefined);
    return client;
  }

  #reopen(): void {
    if (this.#closing) return;
    this.#rebuild = this.#options.clock.after(RECONNECT_CEILING_MS, () => {
      this.#client = this.#open();
    });
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

interface Tls {
  /** PEM. */
  readonly ca?: Buffer;
}

/** @throws ConfigError */
function readTls({ tlsCaFile }: Config['redis']): Tls {
  if (tlsCaFile === '') return {};
  try {
    return { ca: readFileSync(tlsCaFile) };
  } catch (error) {
    const problem = `REDIS_TLS_CA_PATH: ${tlsCaFile} cannot be read (${reasonOf(error)}); it must be the PEM file of the authority that signed Redis's certificate.`;
    throw new ConfigError([problem], { cause: error });
  }
}

function createClient(options: ConnectionOptions, tls: Tls | undefined): Redis | Cluster {
  const { redis } = options;
  const node = nodeOptions(options, tls);
  if (redis.clusterNodes.length > 0) {
    return new Cluster([...redis.clusterNodes], {
      lazyConnect: true,
      enableOfflineQueue: false,
      enableReadyCheck: true,
      retryDelayOnFailover: 0,
      clusterRetryStrategy: reconnectDelay,
      redisOptions: node,
    });
  }
  if (redis.sentinels.length > 0) {
    return new Redis({
      ...node,
      sentinels: [...redis.sentinels],
      name: redis.sentinelName,
      ...(redis.sentinelPassword ? { sentinelPassword: redis.sentinelPassword } : {}),
      sentinelCommandTimeout: 2_000,
      failoverDetector: true,
      updateSentinels: false,
      enableTLSForSentinelMode: redis.tls,
    });
  }
  return new Redis({ ...node, host: redis.host, port: redis.port });
}

function nodeOptions({ redis, name, silenceMs }: ConnectionOptions, tls: Tls | undefined) {
  return {
    protocol: 2 as const,
    lazyConnect: true,
    connectionName: name,
    disableClientInfo: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: silenceMs,
    keepAlive: KEEP_ALIVE_MS,
    enableReadyCheck: true,
    maxLoadingRetryTime: LOADING_LOOK_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    retryStrategy: reconnectDelay,
    reconnectOnError: (error: Error) =>
      RECONNECTING_REPLIES.has(error.message.split(' ', 1)[0] ?? '') ? (1 as const) : false,
    ...(redis.db ? { db: redis.db } : {}),
    ...(redis.username ? { username: redis.username } : {}),
    ...(redis.password ? { password: redis.password } : {}),
    ...(tls ? { tls } : {}),
  };
}

function reconnectDelay(attempt: number): number {
  const delay = Math.min(RECONNECT_FLOOR_MS * 2 ** Math.min(attempt, 6), RECONNECT_CEILING_MS);
  return delay * (0.75 + Math.random() / 4);
}
