/** What Redis's refusal of a script leaves out: which key is of another type, which command the user may not run. */
import { RedisUnavailableError } from '../../shared/errors.js';
import { typeOf, type KeyType } from '../keys.js';
import type { RedisConnection } from './connection.js';
import { replyCode } from './reply.js';

const PROBES: { readonly [type in KeyType]: readonly string[] } = {
  list: ['LLEN'],
  'sorted set': ['ZCARD'],
  hash: ['HGET', ''],
  string: ['GET'],
  stream: ['XLEN'],
};

interface RefusedScript {
  readonly text: string;
  readonly keys: readonly string[];
}

/** The error to tell of; the same where there is nothing to add. */
export async function explained(
  error: unknown,
  connection: RedisConnection,
  { text, keys }: RefusedScript,
): Promise<unknown> {
  if (!(error instanceof RedisUnavailableError) || error.outcomeUnknown) return error;
  if (/\bWRONGTYPE\b/.test(error.message)) return (await wrongType(error, connection, keys)) ?? error;
  if (!/\bNOPERM\b|can't run this command|can't access/.test(error.message)) return error;
  const line = Number(/@user_script:\s*(\d+)/.exec(error.message)?.[1] ?? 0);
  const command = /redis\.p?call\('(\w+)'/.exec(text.split('\n')[line - 1] ?? '')?.[1];
  if (command === undefined) return error;
  return because(error, `The user of Redis may not run ${command} here (see ACL SETUSER in ecosystem.md)`);
}

async function wrongType(
  error: RedisUnavailableError,
  connection: RedisConnection,
  keys: readonly string[],
): Promise<unknown> {
  for (const key of keys) {
    const type = typeOf(key);
    const [command = '', ...args] = PROBES[type];
    const reply: unknown = await connection.call(command, key, ...args).catch((refusal: unknown) => refusal);
    if (replyCode(reply) !== 'WRONGTYPE') continue;
    return because(error, `The key ${key} in Redis is no ${type}: another program uses its name; rename or delete it`);
  }
  return undefined;
}

function because(error: RedisUnavailableError, explanation: string): RedisUnavailableError {
  return new RedisUnavailableError(`${explanation} (${error.message})`, false, { cause: error.cause });
}
