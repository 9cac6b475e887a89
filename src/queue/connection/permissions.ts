/**
 * What the user of Redis may not do. Deliveries need few commands; what the others are for is skipped without them, so an
 * operator who gave a user the commands of an earlier version learns here what that costs.
 */
import type { Buffer } from 'node:buffer';
import type { RedisConnection } from './connection.js';
import { knowsBlmove } from './facts.js';
import { codeIn, replyCode } from './reply.js';
import { redisScript } from './script.js';
import type { RedisKeys } from '../keys.js';

/** Commands that this user may not run. */
export interface MissingPermissions {
  readonly commands: readonly string[];
  /** What does not happen without them, as a part of a sentence. */
  readonly means: string;
  /** Messages are not delivered, not tried again or not recovered. */
  readonly isVital: boolean;
}

interface Use {
  readonly means: string;
  readonly isVital?: true;
  /** As permissions.lua tries them. */
  readonly commands: readonly string[];
}

/** Each command of each script, where it matters most. */
const USES: readonly Use[] = [
  {
    means: 'messages are not delivered, tried again or recovered',
    isVital: true,
    commands: [
      'RPOPLPUSH KEY KEY',
      'RPOP KEY',
      'LPUSH SET x',
      'RPUSH SET x',
      'LREM KEY 0 x',
      'LINDEX KEY 0',
      'LLEN KEY',
      'ZADD KEY none x',
      'ZREM KEY x',
      'ZSCORE KEY x',
      'ZRANGE KEY 0 0',
      'ZRANGEBYSCORE KEY 0 0',
      'EXISTS KEY',
      'TIME',
    ],
  },
  {
    means:
      'dead letters lie where version 1 keeps them, and the main server is not told of burials that it has yet to hear of',
    commands: ['HSET KEY x x one-too-many', 'HDEL KEY x'],
  },
  {
    means: 'a message that kills its processes again and again is not found out',
    commands: ['HINCRBY KEY x none', 'HGET KEY x', 'EXPIRE KEY 1'],
  },
  { means: 'dead letters of version 1 stay in its list', commands: ['LTRIM KEY 0 -1', 'HEXISTS KEY x'] },
  {
    means: 'dead letters cannot be counted, listed, replayed or purged',
    commands: ['ZCARD KEY', 'ZCOUNT KEY 0 0', 'ZRANK KEY x', 'ZREVRANK KEY x', 'ZREVRANGE KEY 0 0', 'HSTRLEN KEY x'],
  },
  { means: 'waiting messages cannot be listed or cancelled', commands: ['LRANGE KEY 0 0', 'LSET KEY 0 x'] },
  { means: 'claims of a worker that Redis has forgotten are not looked for', commands: ['SCAN 0 COUNT 1'] },
  {
    means: 'each supervisor looks for such claims, in place of one in turn',
    commands: ['SET KEY x PX none', 'DEL KEY'],
  },
  { means: 'a pause is not obeyed', commands: ['GET KEY', 'PTTL KEY', 'PEXPIREAT KEY 1'] },
  { means: 'what operators do is not written down', commands: ['XADD KEY none x x'] },
  { means: 'what operators did cannot be read', commands: ['XREVRANGE KEY + - COUNT 1'] },
  { means: 'the history is not kept', commands: ['HGETALL KEY'] },
  {
    means: 'nobody says in Redis that this host is there, and `fleet` shows nobody',
    commands: ['HLEN KEY', 'HGETALL KEY'],
  },
  {
    means: 'failed attempts are not kept with their messages, and counted by the hour neither',
    commands: ['HMGET KEY x', 'HGETALL KEY', 'HLEN KEY', 'HSCAN KEY 0', 'SETRANGE KEY none x', 'MEMORY USAGE KEY'],
  },
  { means: 'settlements take a little longer', commands: ['LPOS KEY x'] },
];

const permissionsScript = redisScript('permissions');

/** Rejects with RedisUnavailableError, also where the user may run no script, or may not touch our keys. */
export async function missingPermissions(
  connection: RedisConnection,
  keys: RedisKeys,
): Promise<readonly MissingPermissions[]> {
  const nobodys = keys.processing('');
  const tried = USES.flatMap(({ commands }) => commands);
  const answers = await permissionsScript.run(connection, [nobodys, keys.consumers, keys.retry], tried);
  const codes = (answers as Buffer[]).map((answer) => codeIn(String(answer)));
  const refused = new Set(tried.filter((_, at) => codes[at] === 'NOPERM').map(nameOf));
  // a replica would cost us the connection
  const pop = codes.includes('READONLY') ? [] : await refusedPop(connection, nobodys);
  return USES.flatMap(({ commands, means, isVital = false }) => {
    const names = [...commands.map(nameOf).filter((name) => refused.has(name)), ...(isVital ? pop : [])];
    return names.length > 0 ? [{ commands: names, means, isVital }] : [];
  });
}

/** The blocking pop stands in no script. */
async function refusedPop(connection: RedisConnection, key: string): Promise<readonly string[]> {
  const [name, ...ends] = (await knowsBlmove(connection)) ? ['BLMOVE', 'RIGHT', 'LEFT'] : ['BRPOPLPUSH'];
  try {
    await connection.call(name, key, key, ...ends, '0.001');
  } catch (error) {
    const code = replyCode(error);
    if (code === undefined) throw error;
    if (code === 'NOPERM') return [name];
  }
  return [];
}

function nameOf(command: string): string {
  return command.split(' ', 1)[0] ?? '';
}
