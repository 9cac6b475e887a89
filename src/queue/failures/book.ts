/** What is kept of failed attempts beside their messages: written by workers, swept by one process of the fleet. */
import type { Buffer } from 'node:buffer';
import { COUNTS_DAYS } from '../../domain/failures/hours.js';
import { groupEntry, OTHER_FAILURES } from '../../domain/failures/failure-group.js';
import { indexWord } from '../../domain/dead-letters/index-line.js';
import type { RedisArgument, RedisConnection } from '../connection/connection.js';
import { replyCode } from '../connection/reply.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';
import type { FailureQueue } from '../background-queue.js';
import type { SideBooks } from '../side-books.js';

/** In an hour; a value of the longest names takes 1 KB. */
const MOST_GROUPS = 1_000;
const KEEP_COUNTS_S = COUNTS_DAYS * 86_400;
/** One look of the sweep holds Redis for about 1 ms. */
const SWEPT_AT_A_LOOK = 200;
const SWEEP_EVERY_MS = 3_600_000;

const countScript = redisScript('failures/count');
const sweepScript = redisScript('failures/sweep');

export function createFailureQueue(
  connection: RedisConnection,
  keys: RedisKeys,
  sideBooks: SideBooks,
): Omit<FailureQueue, 'isReady'> {
  return {
    async countFailures(hour, counts) {
      await sideBooks.look();
      if (!sideBooks.mayGrow) return false;
      const args: RedisArgument[] = [MOST_GROUPS, OTHER_FAILURES, KEEP_COUNTS_S];
      for (const { group, attempts, first, last, messageId } of counts) {
        args.push(group ? groupEntry(group) : OTHER_FAILURES, attempts, first, last, indexWord(messageId));
      }
      await countScript.run(connection, [keys.failuresIn(hour)], args);
      return true;
    },

    async takeFailureSweep() {
      try {
        return (await connection.call('SET', keys.failuresSwept, 1, 'NX', 'PX', SWEEP_EVERY_MS)) !== null;
      } catch (error) {
        // a full Redis is in need of a sweep, and two at once do no harm
        if (replyCode(error) === undefined) throw error;
        return true;
      }
    },

    async sweepFailures(cursor, olderThan) {
      const args = [cursor, SWEPT_AT_A_LOOK, new Date(olderThan).toISOString()];
      const [next, forgotten] = (await sweepScript.run(connection, [keys.failures], args)) as [Buffer, number];
      return { cursor: String(next), forgotten };
    },
  };
}
