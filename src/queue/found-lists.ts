/** Processing lists of consumers that nobody knows: Redis lost its last second, or somebody has deleted the register. */
import { Buffer } from 'node:buffer';
import { LEASE_MS } from '../domain/lease-watch.js';
import type { RedisConnection } from './connection/connection.js';
import { redisScript } from './connection/script.js';
import type { RedisKeys } from './keys.js';
import type { FoundListsQueue } from './message-queue.js';

/** 0.3 ms of Redis. */
const KEYS_A_LOOK = 500;

const foundListsScript = redisScript('found-lists');

export function createFoundListsQueue(connection: RedisConnection, keys: RedisKeys): FoundListsQueue {
  const prefix = keys.processing('');
  // a name may hold what is a pattern to Redis
  const pattern = `${prefix.replace(/[\\*?[\]^]/g, '\\$&')}*`;
  return {
    async registerFound(cursor) {
      const args = [cursor, pattern, Buffer.byteLength(prefix), KEYS_A_LOOK, LEASE_MS];
      const [next, found] = (await foundListsScript.run(connection, [keys.consumers], args)) as [Buffer, Buffer[]];
      return { cursor: String(next), consumers: found.map(String) };
    },
  };
}
