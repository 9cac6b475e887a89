import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisArgument, RedisConnection } from './connection.js';
import { replyCode } from './reply.js';
import { explained } from './script-refusal.js';

/** A Lua script in lua/, sent by its hash; its text follows when Redis does not know it (restart, SCRIPT FLUSH). */
interface RedisScript {
  /** Rejects with RedisUnavailableError. */
  run(connection: RedisConnection, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown>;
}

/** `parts`: what scripts share, in lua/parts/; it stands before the script. */
export function redisScript(name: string, ...parts: readonly string[]): RedisScript {
  const text = [...parts.map((part) => `parts/${part}`), name].map(textOf).join('');
  const sha = createHash('sha1').update(text).digest('hex');
  return {
    async run(connection, keys, args) {
      const rest = [keys.length, ...keys, ...args];
      try {
        // in small letters the client need not make small ones of them, five times for each command: 2 µs
        return await connection.call('evalsha', sha, ...rest);
      } catch (error) {
        if (replyCode(error) !== 'NOSCRIPT') throw await explained(error, connection, { text, keys });
      }
      try {
        return await connection.call('EVAL', text, ...rest);
      } catch (error) {
        throw await explained(error, connection, { text, keys });
      }
    },
  };
}

function textOf(name: string): string {
  return readFileSync(new URL(`../lua/${name}.lua`, import.meta.url), 'utf8');
}
