/**
 * The client of ioredis, set so that it never gives up, never resends and never hangs. Each of these was measured on 6.0.0:
 *
 * - `autoResendUnfulfilledCommands: false` with `maxRetriesPerRequest: 0`: a command in flight at a lost connection
 *   rejects at once. Resent silently, a pop would run twice; without the second option its promise stays pending for ever.
 * - `socketTimeout` guards against half-open sockets; `commandTimeout` and `blockingTimeout` would drop late replies.
 * - `enableOfflineQueue: false`: nothing fires minutes later.
 * - `maxLoadingRetryTime`: a Redis that loads its file is asked again after the seconds that it still expects to need, 10 at
 *   most, which was up to 3 s too late.
 */
import { readFileSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import type { Config } from '../../shared/config/config.js';
import { ConfigError, reasonOf } from '../../shared/errors.js';
import type { Random } from '../../shared/time/random.js';

export type RedisClient = Redis | Cluster;

export interface RedisClientOptions {
  readonly redis: Config['redis'];
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** Silence after a command that means the connection is dead, ms. */
  readonly silenceMs: number;
  /** Spreads the reconnections of many workers. */
  readonly random: Random;
}

/** What tls.connect is given for Redis. */
export interface RedisTls {
  /** PEM; undefined = the system's roots. */
  readonly ca?: Buffer;
}

// Reconnecting must fit into the 2 s within which a worker consumes again after a fault.
const RECONNECT_FLOOR_MS = 50;
export const RECONNECT_CEILING_MS = 800;
const CONNECT_TIMEOUT_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;
const LOADING_LOOK_MS = 500;
/** After this a socket whose other end says nothing is destroyed. */
export const DISCONNECT_TIMEOUT_MS = 100;
const RECONNECTING_REPLIES = new Set(['READONLY', 'UNBLOCKED', 'LOADING', 'MASTERDOWN']);

/** undefined = Redis is spoken to unencrypted. @throws ConfigError when REDIS_TLS_CA_PATH cannot be read. */
export function readRedisTls({ tls, tlsCaFile }: Config['redis']): RedisTls | undefined {
  if (!tls) return undefined;
  if (tlsCaFile === '') return {};
  try {
    return { ca: readFileSync(tlsCaFile) };
  } catch (error) {
    const problem = `REDIS_TLS_CA_PATH: ${tlsCaFile} cannot be read (${reasonOf(error)}); it must be the PEM file of the authority that signed Redis's certificate.`;
    throw new ConfigError([problem], { cause: error });
  }
}

/** Not connected yet. */
export function createRedisClient(options: RedisClientOptions, tls: RedisTls | undefined): RedisClient {
  const { redis } = options;
  const delayMs = reconnectDelay(options.random);
  const node = { ...nodeOptions(options, tls), retryStrategy: delayMs };
  if (redis.clusterNodes.length > 0) {
    return new Cluster([...redis.clusterNodes], {
      lazyConnect: true,
      enableOfflineQueue: false,
      enableReadyCheck: true,
      retryDelayOnFailover: 0,
      clusterRetryStrategy: delayMs,
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

function nodeOptions({ redis, name, silenceMs }: RedisClientOptions, tls: RedisTls | undefined) {
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
    reconnectOnError: (error: Error) =>
      RECONNECTING_REPLIES.has(error.message.split(' ', 1)[0] ?? '') ? (1 as const) : false,
    ...(redis.db ? { db: redis.db } : {}),
    ...(redis.username ? { username: redis.username } : {}),
    ...(redis.password ? { password: redis.password } : {}),
    ...(tls ? { tls } : {}),
  };
}

function reconnectDelay(random: Random): (attempt: number) => number {
  return (attempt) => {
    const delay = Math.min(RECONNECT_FLOOR_MS * 2 ** Math.min(attempt, 6), RECONNECT_CEILING_MS);
    return delay * (0.75 + random() / 4);
  };
}
