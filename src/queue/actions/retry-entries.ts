/** Retries as actions/*.lua read and move them: see retries.ts for what a member is. */
import type { Buffer } from 'node:buffer';
import { statusWindowMs } from '../../domain/status-window.js';
import { UnusableRedisError } from '../../shared/errors.js';
import type { RedisArgument, RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';
import type { Removal } from './cancelled-letter.js';

export interface RetryEntry {
  readonly member: Buffer;
  readonly messageId: string;
  /** The message, byte for byte. */
  readonly raw: Buffer;
  /** Undefined = an earlier build scheduled it. */
  readonly intervalMs: number | undefined;
  /** An operator has made it due as soon as it may be. */
  readonly isHastened: boolean;
  /** By Redis's clock, ms since the Unix epoch. */
  readonly dueAt: number;
  /** The same, as Redis writes it. */
  readonly score: string;
}

export interface RetryPage {
  readonly total: number;
  /** Redis's clock, ms since the Unix epoch. */
  readonly now: number;
  readonly entries: readonly RetryEntry[];
  /** Undefined = there are no more. */
  readonly lastScore: string | undefined;
  /** Members with that score that no worker has written. */
  readonly foreignAtLast: number;
}

/** Where a page begins: behind so many with this score. */
export interface RetryCursor {
  /** Empty = at the first. */
  readonly score: string;
  readonly passed: number;
}

/** 500 members take Redis 2 ms to read, and as long to move. */
const STEP = 500;
const STEP_BYTES = 1_048_576;

const readScript = redisScript('actions/read-retries');
const retryScript = redisScript('actions/retry', 'retry-head', 'status-window');
const cancelScript = redisScript('actions/cancel-retries', 'retry-head', 'status-window', 'cancelled');

/** From the one due first on, up to this score. */
export async function readRetries(
  connection: RedisConnection,
  { retry }: RedisKeys,
  { score, passed }: RetryCursor,
  highest: string,
): Promise<RetryPage> {
  const reply = await readScript.run(connection, [retry], [score, passed, highest, STEP, STEP_BYTES]);
  const [total, now, found] = reply as [number, number, Buffer[]];
  const lastScore = found.length > 0 ? String(found.at(-1)) : undefined;
  const entries: RetryEntry[] = [];
  let foreignAtLast = 0;
  for (let at = 0; at + 1 < found.length; at += 2) {
    const score = String(found[at + 1]);
    const entry = entryOf(found[at] as Buffer, score);
    if (entry) entries.push(entry);
    else if (score === lastScore) foreignAtLast += 1;
  }
  return { total, now, entries, lastScore, foreignAtLast };
}

/** The score of the one due last now: what fails later is not meant by who begins now. */
export async function highestScore(connection: RedisConnection, { retry }: RedisKeys): Promise<string> {
  const last = (await connection.call('ZRANGE', retry, -1, -1, 'WITHSCORES')) as Buffer[];
  return String(last[1] ?? '-inf');
}

/** Ms until each is due, 0 = it is; undefined = it is not there any more. */
export async function hasten(
  connection: RedisConnection,
  { retry }: RedisKeys,
  entries: readonly RetryEntry[],
): Promise<readonly (number | undefined)[]> {
  if (entries.length === 0) return [];
  const args = entries.flatMap(({ member, intervalMs = 0 }) => [member, statusWindowMs(intervalMs)]);
  const [, became] = (await retryScript.run(connection, [retry], args)) as [number, number[]];
  return became.map((left) => (left < 0 ? undefined : left));
}

/** Resolves to how many have left the retries by our doing. */
export async function takeOutRetries(
  connection: RedisConnection,
  { retry, deadIndex, deadLetters, untold }: RedisKeys,
  removals: readonly (readonly [RetryEntry, Removal])[],
): Promise<number> {
  if (removals.length === 0) return 0;
  const args: RedisArgument[] = [];
  for (const [{ member, intervalMs = 0 }, { envelope, line }] of removals) {
    args.push(member, envelope, line, statusWindowMs(intervalMs));
  }
  const reply = await cancelScript.run(connection, [retry, deadIndex, deadLetters, untold], args);
  const [taken, refusal] = reply as [number, Buffer];
  if (refusal.length > 0) throw new UnusableRedisError(`Redis refuses to take a retry out: ${String(refusal)}`);
  return taken;
}

const COLON = 0x3a;
const LONGEST_HEAD = 4_096;
const HEAD = /^([0-9A-Fa-f]{12}[0-9A-Za-z]+) ([\w.!~*'()%-]+)(?: (\d+))?$/;

/** Undefined = no worker has written it. */
function entryOf(member: Buffer, score: string): RetryEntry | undefined {
  const colon = member.subarray(0, LONGEST_HEAD).indexOf(COLON);
  const [, unique, id, interval] = HEAD.exec(member.toString('latin1', 0, Math.max(0, colon))) ?? [];
  if (unique === undefined || id === undefined) return undefined;
  return {
    member,
    messageId: decoded(id),
    raw: member.subarray(colon + 1),
    intervalMs: interval === undefined ? undefined : Number(interval),
    isHastened: unique.endsWith('N'),
    dueAt: Number(score),
    score,
  };
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
