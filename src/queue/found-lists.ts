/** Processing lists of consumers that nobody knows: Redis lost its last second, or somebody has deleted the register. */
import { Buffer } from 'node:buffer';
import { LEASE_MS } from '../domain/clocks/lease-watch.js';
import type { RedisConnection } from './connection/connection.js';
import { redisScript } from './connection/script.js';
import type { RedisKeys } from './keys.js';
import type { FoundListsQueue } from './background-queue.js';

/** 0.3 ms of Redis. */
const KEYS_A_LOOK = 500;

/** Who has the search says so three times in this time; of one that died another takes it over then. */
const TURN_MS = 30_000;

const foundListsScript = redisScript('found-lists/look');
const turnScript = redisScript('found-lists/turn');

export function createFoundListsQueue(connection: RedisConnection, keys: RedisKeys): FoundListsQueue {
  const prefix = keys.processing('');
  // a name may hold what is a pattern to Redis
  const pattern = `${prefix.replace(/[\\*?[\]^]/g, '\\$&')}*`;
  return {
    async takeSearch(id) {
      return (await turnScript.run(connection, [keys.searcher], [id, TURN_MS])) === 1;
    },
    async leaveSearch(id) {
      await turnScript.run(connection, [keys.searcher], [id, 0]);
    },
    async registerFound(cursor) {
      const args = [cursor, pattern, Buffer.byteLength(prefix), KEYS_A_LOOK, LEASE_MS];
      const [next, found] = (await foundListsScript.run(connection, [keys.consumers], args)) as [Buffer, Buffer[]];
      return { cursor: String(next), consumers: found.map(String) };
    },
  };
}
