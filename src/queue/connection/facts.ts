/** What Redis is: its version, what it does when it is full, which commands it knows. */
import { UnusableRedisError } from '../../shared/errors.js';
import type { RedisConnection } from './connection.js';
import { fieldIn } from './examination.js';
import type { RedisFacts } from '../message-queue.js';

const OLDEST_REDIS = 5;

/**
 * `where`: the address an operator knows. Rejects with UnusableRedisError when Redis is too old, and with
 * RedisUnavailableError.
 */
export async function readFacts(connection: RedisConnection, where: string): Promise<RedisFacts> {
  const reply = await connection.callPermitted(undefined, 'INFO');
  const info = reply === undefined ? '' : (reply as Buffer).toString();
  const version = fieldIn(info, '(?:redis|valkey)_version') ?? '';
  if (version !== '' && Number.parseInt(version, 10) < OLDEST_REDIS) {
    throw new UnusableRedisError(
      `Redis at ${where} is version ${version}; version ${OLDEST_REDIS}.0 or newer is needed`,
    );
  }
  return { version, evictionPolicy: policyIn(info) ?? '', tells: reply !== undefined };
}

/** maxmemory-policy; undefined when Redis does not tell, or not this user. */
export async function readEvictionPolicy(connection: RedisConnection): Promise<string | undefined> {
  return policyIn(String(await connection.callPermitted('', 'INFO', 'memory')));
}

/** Redis has it since 6.2. */
export async function knowsBlmove(connection: RedisConnection): Promise<boolean> {
  const known = (await connection.callPermitted([], 'COMMAND', 'INFO', 'BLMOVE')) as unknown[];
  return Array.isArray(known[0]);
}

function policyIn(info: string): string | undefined {
  return fieldIn(info, 'maxmemory_policy');
}
