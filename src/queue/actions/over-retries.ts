import type { RedisConnection } from '../connection/connection.js';
import type { RedisKeys } from '../keys.js';
import { Meaning } from './meaning.js';
import { highestScore, readRetries, type RetryCursor, type RetryEntry, type RetryPage } from './retry-entries.js';
import type { ActionRun, Tally } from './run.js';

interface Tools {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
}

/** Does it to those that are meant; resolves to those that are still where they were. `now`: Redis's clock, ms since the Unix epoch. */
type Act = (meant: readonly RetryEntry[], now: number) => Promise<ReadonlySet<RetryEntry>>;

/**
 * Over all retries of now, from the one due first on. One that leaves its place, promoted or by our doing, moves none of
 * those behind it out of the way: a page begins behind the last score, and behind those with this score that have stayed.
 */
export async function overRetries({ connection, keys }: Tools, run: ActionRun, tally: Tally, act: Act): Promise<void> {
  const highest = await highestScore(connection, keys);
  let meaning: Meaning | undefined;
  for (let cursor: RetryCursor = { score: '', passed: 0 }; ;) {
    if (run.signal?.aborted) return void (tally.isInterrupted = true);
    const page = await readRetries(connection, keys, cursor, highest);
    if (page.lastScore === undefined) return;
    meaning ??= new Meaning(run.filter, page.now);
    const meant = page.entries.filter((entry) => meaning?.isMeant(entry));
    tally.meant += meant.length;
    for (const { messageId } of meant) run.onMeant?.({ place: 'retry', messageId });
    const stayed = await act(meant, page.now);
    const left = new Set(meant.filter((entry) => !stayed.has(entry)));
    cursor = behind(cursor, page, left);
    tally.seen += page.entries.length;
    run.onProgress?.({ ...tally });
  }
}

function behind(
  { score, passed }: RetryCursor,
  { lastScore = '', entries, foreignAtLast }: RetryPage,
  left: ReadonlySet<RetryEntry>,
): RetryCursor {
  const stayed = entries.filter((entry) => entry.score === lastScore && !left.has(entry)).length;
  return { score: lastScore, passed: stayed + foreignAtLast + (lastScore === score ? passed : 0) };
}
