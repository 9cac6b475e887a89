/**
 * Reaches into ioredis 6.0.0, whose clients by Sentinel keep to themselves what went wrong with a Sentinel ("Connection is
 * closed." stands in its place) and which Sentinel is asked next. test/integration/queue/connection/tls.test.ts holds the former
 * against the client, row 20a of the fault matrix a failover.
 */
import { Cluster, type Redis, type RedisOptions } from 'ioredis';
import { tellingConnector, type ToldOfNode } from './node-connector.js';

interface SentinelParts {
  check(info: { readonly role: string }): boolean;
  connectToSentinel(endpoint: unknown, options?: RedisOptions): Redis;
}

export function tellOfSentinels(client: Redis, tell: ToldOfNode): Redis {
  const parts = partsOf(client);
  if (!parts) return client;
  const connect = parts.connectToSentinel.bind(parts);
  const Connector = tellingConnector(tell);
  parts.connectToSentinel = (endpoint, options) => connect(endpoint, { ...options, Connector });
  return client;
}

/** One that was cut off goes on naming a former primary. */
export function askNextSentinel(client: Redis | Cluster): void {
  if (!(client instanceof Cluster)) partsOf(client)?.check({ role: 'slave' });
}

/** Undefined where there are none: the address is no Sentinel's, or the client has changed. */
function partsOf(client: Redis): SentinelParts | undefined {
  const connector: unknown = Reflect.get(client, 'connector');
  return isSentinelParts(connector) ? connector : undefined;
}

function isSentinelParts(value: unknown): value is SentinelParts {
  if (typeof value !== 'object' || value === null) return false;
  if (!('check' in value) || !('connectToSentinel' in value)) return false;
  return typeof value.check === 'function' && typeof value.connectToSentinel === 'function';
}
