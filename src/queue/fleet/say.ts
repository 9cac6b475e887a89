import { UnusableRedisError } from '../../shared/errors.js';
import type { FleetWord } from '../background-queue.js';
import type { RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';
import { SIDE_BOOKS_FULL, type SideBooks } from '../side-books.js';

/** With their words at most some 1 MB, mostly 400 bytes each. */
const MOST_NAMES = 1_000;

const sayScript = redisScript('fleet/say');

interface Tools {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly sideBooks: Pick<SideBooks, 'look' | 'mayGrow'>;
}

/**
 * Resolves to the name under which it stands. Rejects with RedisUnavailableError, and with UnusableRedisError when there is
 * no room for one more name; who has one is never refused for want of it, or all would seem to have vanished.
 */
export async function sayInFleet(
  { connection, keys, sideBooks }: Tools,
  { field, otherField, writer, text, hasSpoken, sweeps }: FleetWord,
): Promise<string> {
  await sideBooks.look();
  const flags = [hasSpoken ? 1 : 0, sideBooks.mayGrow ? 1 : 0, MOST_NAMES, sweeps ? 1 : 0];
  const reply = await sayScript.run(connection, [keys.fleet], [field, otherField, writer, text, ...flags]);
  const [isSaid, answer] = reply as [0, number] | [1, Buffer];
  if (isSaid === 1) return String(answer);
  throw new UnusableRedisError(
    sideBooks.mayGrow
      ? `${answer} names stand in ${keys.fleet} already, and all of them were heard of in the last minute`
      : SIDE_BOOKS_FULL,
  );
}
