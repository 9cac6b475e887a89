import type { Config } from './config.js';
import type { Role } from './settings/setting.js';

/** What is wrong with values that are each right. Certificate files are checked where they are loaded. */
export function conflicts(config: Config, role: Role): string[] {
  return [
    ...redisConflicts(config.redis),
    ...capConflicts(config),
    ...(role === 'supervisor' ? portConflicts(config) : []),
  ];
}

function redisConflicts(redis: Config['redis']): string[] {
  const found: string[] = [];
  const sentinel = redis.sentinels.length > 0;
  const cluster = redis.clusterNodes.length > 0;
  if (sentinel && cluster) {
    found.push('REDIS_SENTINELS and REDIS_CLUSTER_NODES are both set; it must be one of them.');
  }
  if (sentinel && redis.sentinelName === '') {
    found.push('REDIS_SENTINELS is set without REDIS_SENTINEL_NAME, which must name the primary that they watch.');
  }
  if (!sentinel && redis.sentinelName !== '') {
    found.push('REDIS_SENTINEL_NAME is set without REDIS_SENTINELS, which must list where the Sentinels are.');
  }
  if (cluster && redis.db !== 0) {
    found.push(`REDIS_DB is ${redis.db}; with REDIS_CLUSTER_NODES it must be 0, a cluster has no other database.`);
  }
  return found;
}

/** Who shares with whom is known by the leases, which a worker without safety copies has not. */
function capConflicts({ mainServer, queue }: Config): string[] {
  if (mainServer.maxInFlight === 0 || queue.reliable) return [];
  return [
    `MAIN_SERVER_MAX_IN_FLIGHT is ${mainServer.maxInFlight} and WORKER_QUEUE_RELIABLE is false; the cap needs it to be true, or it would not be known who has died.`,
  ];
}

/** Worker i listens on `metrics.port + i - 1`. */
function portConflicts({ metrics, worker, supervisor }: Config): string[] {
  if (!metrics.enabled) return [];
  const first = metrics.port;
  const last = metrics.port + worker.count - 1;
  if (last > 65_535) {
    return [
      `WORKER_METRICS_PORT is ${first} and WORKER_COUNT is ${worker.count}; the last worker would need port ${last}, it must be at most 65535.`,
    ];
  }
  if (supervisor.port < first || supervisor.port > last) return [];
  return [
    `SUPERVISOR_PORT is ${supervisor.port}; it must be outside the workers' metrics ports ${first} to ${last} (WORKER_METRICS_PORT, WORKER_COUNT).`,
  ];
}

/** What works and yet should be known at each start. */
export function cautions(config: Config): string[] {
  const found: string[] = [];
  const { mainServer, redis, queue } = config;
  if (mainServer.url.startsWith('http://')) {
    found.push(
      `MAIN_SERVER_URL is ${mainServer.url}: message ids travel unencrypted, and no certificate proves either side. Use https:// outside of development.`,
    );
  } else if (!mainServer.verifyTls) {
    found.push(
      'MAIN_SERVER_VERIFY_SSL is false: any server that answers at MAIN_SERVER_URL is believed. Set it to true outside of development.',
    );
  }
  if (!queue.reliable) {
    found.push('WORKER_QUEUE_RELIABLE is false: messages that a worker holds when it dies are lost.');
  }
  const sentinel = redis.sentinels.length > 0;
  if (redis.tlsCaFile !== '' && !redis.tls && !(sentinel && redis.sentinelTls)) {
    found.push('REDIS_TLS_CA_PATH is set and REDIS_TLS is false: Redis is spoken to unencrypted.');
  }
  if (sentinel && redis.tls && !redis.sentinelTls) {
    found.push(
      'REDIS_SENTINEL_TLS is false and REDIS_TLS is true: the Sentinels, and their password, are spoken to unencrypted.',
    );
  }
  return found;
}
