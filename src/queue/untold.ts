/**
 * Burials of which the main server has not heard, in a sorted set by next try: the members are lines of the index of the
 * dead letters, so that whoever removes a letter can remove its entry by the line alone.
 */
import type { Buffer } from 'node:buffer';
import { CANCELLED_ERROR } from '../domain/cancelled.js';
import { readIndexLine } from '../domain/dead-letters/index-line.js';
import { MAX_ATTEMPTS_ERROR, POISON_ERROR, readDeadLetter } from '../domain/dead-letters/dead-letter.js';
import type { RedisConnection } from './connection/connection.js';
import { redisScript } from './connection/script.js';
import type { RedisKeys } from './keys.js';
import type { UntoldBurial, UntoldQueue } from './background-queue.js';

/** The first wait, which is doubled up to the last one. */
const SHORTEST_MS = 1_000;
const LONGEST_MS = 60_000;
/** What was sent and not answered has had its effect by then. */
const SHORTEST_OPEN_MS = 5_000;
/** What is told of a letter stands in its first line or first hundred characters. */
const READ_BYTES = 4_096;

const ERRORS: Readonly<Record<string, string>> = { poison: POISON_ERROR, cancelled: CANCELLED_ERROR };

const takeScript = redisScript('untold/take');
const settleScript = redisScript('untold/settle');

export function createUntoldQueue(connection: RedisConnection, keys: RedisKeys): UntoldQueue {
  return {
    isReady: () => connection.isReady(),

    async takeUntold(limit, holdMs, latest) {
      const places = [keys.untold, keys.deadIndex, keys.deadLetters];
      const args = [limit, Math.ceil(holdMs), LONGEST_MS, READ_BYTES, latest ?? ''];
      const reply = await takeScript.run(connection, places, args);
      const [next, fields, redisNow] = reply as [number, (Buffer | number)[], number];
      const taken: UntoldBurial[] = [];
      for (let at = 0; at < fields.length; at += 4) {
        const [line, score, bytes, letter] = fields.slice(at, at + 4) as [Buffer, Buffer, number, Buffer];
        taken.push(burialOf(String(line), String(score), letter, bytes));
      }
      return { taken, nextDueMs: next < 0 ? undefined : next, redisNow };
    },

    async endTelling({ line, score }, ending) {
      const args = [line, score, ending, ending === 'open' ? SHORTEST_OPEN_MS : SHORTEST_MS, LONGEST_MS];
      await settleScript.run(connection, [keys.untold, keys.deadIndex], args);
    },
  };
}

function burialOf(line: string, score: string, letter: Buffer, letterBytes: number): UntoldBurial {
  const { messageId = '', reason } = readIndexLine(line);
  return {
    messageId,
    attemptCount: readDeadLetter(letter, letterBytes)?.attemptCount ?? 0,
    errorMessage: ERRORS[reason] ?? MAX_ATTEMPTS_ERROR,
    line,
    score,
  };
}
