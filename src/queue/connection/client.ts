/**
 * The client of ioredis, set so that it never gives up, never resends and never hangs. Each of these was measured on 6.0.0:
 *
 * - `autoResendUnfulfilledCommands: false` with `maxRetriesPerRequest: 0`: a command in flight at a lost connection
 *   rejects at once. Resent silently, a pop would run twice; without the second option its promise stays pending for ever.
 * - `socketTimeout` guards against half-open sockets; `commandTimeout` and `blockingTimeout` would drop late replies.
 * - `enableOfflineQueue: false`: nothing fires minutes later.
 * - `enableReadyCheck: false`: the client's own look at a new connection fails for ever where INFO is renamed, and is left
 *   out, with a line on stderr, where this user may not call it; connection.ts looks itself.
 * - `rejectUnauthorized: true` although it is the default: NODE_TLS_REJECT_UNAUTHORIZED=0, set for something else, would
 *   switch it off.
 * - `dnsLookup` gives names back as they are: resolved, an address is what the certificate of a cluster's node must name.
 * - `sentinelTLS`: without it the password of the Sentinels travels in plain text, whatever `tls` says.
 */
import { readFileSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import type { Config } from '../../shared/config/config.js';
import { ConfigError, reasonOf } from '../../shared/errors.js';
import { spoiledLine, spoiledLineIn } from '../../shared/pem.js';
import type { Random } from '../../shared/time/random.js';
import { tellingConnector, type ToldOfNode } from './node-connector.js';
import { codeIn } from './reply.js';
import { tellOfSentinels } from './sentinels.js';

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
  readonly rejectUnauthorized: true;
  /** PEM; undefined = the system's roots. */
  readonly ca?: Buffer;
}

/** What a client needs of whoever made it. */
interface ClientHooks {
  /** Before the next attempt to connect, ms. */
  readonly retryDelayMs: () => number;
  /** Of one node of a cluster, or one Sentinel. */
  readonly onNodeProblem: ToldOfNode;
}

// Reconnecting must fit into the 2 s within which a worker consumes again after a fault.
const RECONNECT_FLOOR_MS = 50;
export const RECONNECT_CEILING_MS = 800;
const CONNECT_TIMEOUT_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;
/** After this a socket whose other end says nothing is destroyed. */
export const DISCONNECT_TIMEOUT_MS = 100;
/** Another server, or another connection, may take what these refuse. */
const RECONNECTING_REPLIES = new Set(['READONLY', 'UNBLOCKED', 'MASTERDOWN']);

/** undefined = nothing is spoken to over TLS. @throws ConfigError when REDIS_TLS_CA_PATH cannot be used. */
export function readRedisTls(redis: Config['redis']): RedisTls | undefined {
  const { tls, sentinels, sentinelTls, tlsCaFile } = redis;
  if (!tls && !(sentinels.length > 0 && sentinelTls)) return undefined;
  return { rejectUnauthorized: true, ...(tlsCaFile === '' ? {} : { ca: readAuthority(tlsCaFile) }) };
}

function readAuthority(file: string): Buffer {
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    const problem = `REDIS_TLS_CA_PATH: ${file} cannot be read (${reasonOf(error)}); it must be the PEM file of the authority that signed Redis's certificate.`;
    throw new ConfigError([problem], { cause: error });
  }
  const text = pem.toString();
  const spoiled = spoiledLineIn(text);
  if (spoiled !== undefined) throw new ConfigError([`REDIS_TLS_CA_PATH: ${file}: ${spoiledLine(spoiled)}.`]);
  if (!text.includes('-----BEGIN ')) {
    throw new ConfigError([`REDIS_TLS_CA_PATH: ${file} holds no certificate in PEM format.`]);
  }
  return pem;
}

/** Not connected yet. */
export function createRedisClient(
  options: RedisClientOptions,
  tls: RedisTls | undefined,
  { retryDelayMs, onNodeProblem }: ClientHooks,
): RedisClient {
  const { redis } = options;
  const node = { ...nodeOptions(options, redis.tls ? tls : undefined), retryStrategy: retryDelayMs };
  if (redis.clusterNodes.length > 0) {
    return new Cluster([...redis.clusterNodes], {
      lazyConnect: true,
      enableOfflineQueue: false,
      enableReadyCheck: true,
      retryDelayOnFailover: 0,
      clusterRetryStrategy: retryDelayMs,
      dnsLookup: (name, done) => done(null, name),
      redisOptions: { ...node, Connector: tellingConnector(onNodeProblem) },
    });
  }
  if (redis.sentinels.length > 0) {
    const client = new Redis({
      ...node,
      sentinels: [...redis.sentinels],
      name: redis.sentinelName,
      ...(redis.sentinelPassword ? { sentinelPassword: redis.sentinelPassword } : {}),
      sentinelCommandTimeout: 2_000,
      failoverDetector: true,
      updateSentinels: false,
      enableTLSForSentinelMode: redis.tls,
      ...(redis.sentinelTls && tls ? { sentinelTLS: tls } : {}),
    });
    return tellOfSentinels(client, onNodeProblem);
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
    enableReadyCheck: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    reconnectOnError: (error: Error) => (RECONNECTING_REPLIES.has(codeIn(error.message) ?? '') ? (1 as const) : false),
    ...(redis.db ? { db: redis.db } : {}),
    ...(redis.username ? { username: redis.username } : {}),
    ...(redis.password ? { password: redis.password } : {}),
    ...(tls ? { tls } : {}),
  };
}

/**
 * Of the nth attempt to connect in a row, ms.
 *
 * @param attempt from 1 on.
 */
export function reconnectDelayMs(attempt: number, random: Random): number {
  const delay = Math.min(RECONNECT_FLOOR_MS * 2 ** Math.min(attempt, 6), RECONNECT_CEILING_MS);
  return delay * (0.75 + random() / 4);
}
