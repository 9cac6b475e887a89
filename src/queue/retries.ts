/**
 * Retries lie in a sorted set by due time. A member is `<unique> <encoded message id> <interval in ms>:<message>`: two
 * byte-identical messages stay two, its head names the message for the log without sending it back, and no retry waits
 * longer than its interval, whatever Redis's clock does (promote.lua, retime.lua). Earlier builds wrote no interval, and
 * read over it.
 */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type { RedisConnection } from './connection/connection.js';
import type { RedisKeys } from './keys.js';
import type { Promotion, RetryQueue } from './background-queue.js';
import type { Settlement } from './message-queue.js';
import type { SetBack } from '../domain/clocks/steps-back.js';
import { setAside, type Finder } from './set-aside.js';
import { redisScript } from './connection/script.js';

type Retry = Extract<Settlement, { kind: 'retry' }>;

/** One run moves no more than this and one message: 1 MB holds Redis for 2 ms. */
const STEP_BYTES = 1_048_576;
/** What falls due later than this is not looked for. */
const LOOK_AHEAD_MS = 1_000;

const promoteScript = redisScript('promote', 'retry-head');
const retimeScript = redisScript('retime', 'retry-head');
const foreignScript = redisScript('foreign/read', 'retry-head');

export function createRetryQueue(connection: RedisConnection, keys: RedisKeys, identity: Finder): RetryQueue {
  return {
    retryKey: keys.retry,

    isReady: () => connection.isReady(),

    async promoteDue(limit, { latest, earliest, setBack = [] } = {}) {
      const args = [limit, STEP_BYTES, LOOK_AHEAD_MS, latest ?? '', earliest ?? '', ...argumentsOf(setBack)];
      const reply = await promoteScript.run(connection, [keys.retry, keys.queue], args);
      const [heads, foreign, next, redisNow] = reply as [Buffer[], number, number, number];
      const nextDueMs = next < 0 ? undefined : next;
      return {
        moved: heads.length,
        messageIds: heads.map(messageIdOf),
        nextDueMs,
        foreign,
        redisNow,
      } satisfies Promotion;
    },

    async setRight({ from, limit, backMs, setBackBefore = [] }) {
      const args = [from, limit, STEP_BYTES, Math.round(backMs), ...argumentsOf(setBackBefore)];
      const [kept, changed, foreign] = (await retimeScript.run(connection, [keys.retry], args)) as [
        number,
        number,
        number,
      ];
      return { kept, changed, foreign };
    },

    async setAside(limit) {
      const members = (await foreignScript.run(connection, [keys.retry], [limit, STEP_BYTES])) as Buffer[];
      const moved = members.length > 0 ? await setAside(connection, keys, identity, members) : 0;
      return { moved, isOver: members.length === 0 };
    },
  };
}

function argumentsOf(setBack: readonly SetBack[]): number[] {
  return setBack.flatMap(({ before, byMs }) => [before, byMs]);
}

const incarnation = randomBytes(6).toString('hex');
let count = 0;
const members = new WeakMap<Retry, Buffer>();

/**
 * The same at each try: without a safety copy nothing else keeps a retry whose reply was lost from being scheduled
 * twice.
 */
export function memberOf(retry: Retry): Buffer {
  const known = members.get(retry);
  if (known) return known;
  count += 1;
  const interval = Math.ceil(retry.delayMs);
  const head = `${incarnation}${count.toString(36)} ${encodeURIComponent(retry.messageId)} ${interval}:`;
  const member = Buffer.concat([Buffer.from(head), retry.message]);
  members.set(retry, member);
  return member;
}

function messageIdOf(head: Buffer): string {
  const encoded = head.toString('latin1').split(' ')[1] ?? '';
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
