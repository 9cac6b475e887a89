/** What Redis is: its version, what it does when it is full, which commands it knows. */
import { UnusableRedisError } from '../../shared/errors.js';
import type { RedisConnection } from './connection.js';
import type { RedisFacts } from '../message-queue.js';

const OLDEST_REDIS = 5;

/**
 * `where`: the address an operator knows. Rejects with UnusableRedisError when Redis is too old, and with
 * RedisUnavailableError.
 */
export async function readFacts(connection: RedisConnection, where: string): Promise<RedisFacts> {
  const info = String(await connection.callPermitted('', 'INFO'));
  const version = /^(?:redis|valkey)_version:(\S+)/m.exec(info)?.[1] ?? '';
  if (version !== '' && Number.parseInt(version, 10) < OLDEST_REDIS) {
    throw new UnusableRedisError(
      `Redis at ${where} is version ${version}; version ${OLDEST_REDIS}.0 or newer is needed`,
    );
  }
  return { version, evictionPolicy: policyIn(info) ?? '' };
}

/** maxmemory-policy; undefined when Redis does not tell. Rejects when this user may not ask. */
export async function readEvictionPolicy(connection: RedisConnection): Promise<string | undefined> {
  return policyIn(String(await connection.call('INFO', 'memory')));
}

/** Redis has it since 6.2. */
export async function knowsBlmove(connection: RedisConnection): Promise<boolean> {
  const known = (await connection.callPermitted([], 'COMMAND', 'INFO', 'BLMOVE')) as unknown[];
  return Array.isArray(known[0]);
}

function policyIn(info: string): string | undefined {
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
}
