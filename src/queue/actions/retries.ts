/** Retries as actions/*.lua move them: see queue/retries.ts for what a member is. */
import { Buffer } from 'node:buffer';
import { statusWindowMs } from '../../domain/clocks/status-window.js';
import { UnusableRedisError } from '../../shared/errors.js';
import type { RedisArgument, RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import { noteGone } from '../history/gone.js';
import type { RedisKeys } from '../keys.js';
import type { RetryingMessage } from '../messages/found.js';
import type { Removal } from './cancelled-letter.js';

type Retry = Pick<RetryingMessage, 'head' | 'raw' | 'intervalMs' | 'messageId'>;

/** So many take Redis 4 ms. */
const STEP = 500;
const COLON = Buffer.from(':');

const retryScript = redisScript('actions/retry', 'retry-head', 'status-window');
const cancelScript = redisScript(
  'actions/cancel-retries',
  'retry-head',
  'status-window',
  'letter-failures',
  'cancelled',
);

/** It was made due as soon as it may be (actions/retry.lua). */
export function isHastened({ head }: Retry): boolean {
  return head.toString('latin1').split(' ', 1)[0]?.endsWith('N') === true;
}

/** Ms until each is due, 0 = it is; undefined = it is not there any more. */
export async function hasten(
  connection: RedisConnection,
  { retry }: RedisKeys,
  retries: readonly Retry[],
): Promise<readonly (number | undefined)[]> {
  const left: (number | undefined)[] = [];
  for (let at = 0; at < retries.length; at += STEP) {
    const args = retries.slice(at, at + STEP).flatMap((one) => [memberOf(one), windowOf(one)]);
    const [, became] = (await retryScript.run(connection, [retry], args)) as [number, number[]];
    left.push(...became.map((ms) => (ms < 0 ? undefined : ms)));
  }
  return left;
}

/** Resolves to how many have left the retries by our doing. */
export async function takeOutRetries(
  connection: RedisConnection,
  keys: RedisKeys,
  retries: readonly Retry[],
  removal: (raw: Buffer) => Removal,
): Promise<number> {
  const { retry, deadIndex, deadLetters, untold, failures } = keys;
  let taken = 0;
  for (let at = 0; at < retries.length; at += STEP) {
    const args: RedisArgument[] = [];
    let isErasure = false;
    for (const one of retries.slice(at, at + STEP)) {
      const { envelope, line } = removal(one.raw);
      isErasure ||= envelope === '';
      args.push(memberOf(one), envelope, line, windowOf(one), one.messageId ?? '');
    }
    const reply = await cancelScript.run(connection, [retry, deadIndex, deadLetters, untold, failures], args);
    const [done, refusal] = reply as [number, Buffer];
    taken += done;
    if (isErasure) await noteGone(connection, keys, done);
    if (refusal.length > 0) throw new UnusableRedisError(`Redis refuses to take a retry out: ${String(refusal)}`);
  }
  return taken;
}

function memberOf({ head, raw }: Retry): Buffer {
  return Buffer.concat([head, COLON, raw]);
}

function windowOf({ intervalMs = 0 }: Retry): number {
  return statusWindowMs(intervalMs);
}
