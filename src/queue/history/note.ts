import type { Buffer } from 'node:buffer';
import { COUNTED_IN_HISTORY, dayName, dayOf, monthName } from '../../domain/history/book.js';
import { SideBooksOffError, UnusableRedisError } from '../../shared/errors.js';
import type { RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';
import type { HistoryLook, HistoryNote } from '../background-queue.js';
import { SIDE_BOOKS_FULL, type SideBooks } from '../side-books.js';
import { consumersIn } from '../sizes.js';

const OLDEST_MESSAGE_BYTES = 65_536;

const noteScript = redisScript('history/note');

interface Tools {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly sideBooks: Pick<SideBooks, 'look' | 'mayGrow' | 'areOff'>;
}

/**
 * One run of note.lua, and another when it is another day by Redis's clock. Rejects with RedisUnavailableError, and with
 * UnusableRedisError when nothing more may be kept.
 */
export async function noteHistory(
  { connection, keys, sideBooks }: Tools,
  { writer, counts, written, stoodMs, oldestWaitSeconds, redisNow }: HistoryNote,
): Promise<HistoryLook> {
  if (sideBooks.areOff) throw new SideBooksOffError();
  await sideBooks.look();
  if (!sideBooks.mayGrow) throw new UnusableRedisError(SIDE_BOOKS_FULL);
  const lists = (await consumersIn(connection, keys)).map((consumer) => keys.processing(consumer));
  const places = [keys.queue, keys.retry, keys.dead, keys.deadIndex, ...lists];
  const stands = [counts, written].flatMap((each) => COUNTED_IN_HISTORY.map((name) => each[name]));
  for (let now = redisNow; ;) {
    const day = dayOf(now);
    const books = [keys.history, keys.historyWriters, keys.historyOf(dayName(day)), keys.historyOf(monthName(day))];
    const args = [day, writer, oldestWaitSeconds ?? 0, OLDEST_MESSAGE_BYTES, Math.round(stoodMs), ...stands];
    const reply = (await noteScript.run(connection, [...books, ...places], args)) as
      [0, number] | [1, number, number, number, Buffer];
    if (reply[0] === 1) {
      const [, at, arrived, waiting, oldest] = reply;
      return { at, arrived, waiting, oldest: oldest.length > 0 ? oldest : undefined };
    }
    now = reply[1];
  }
}
