/** Dead letters on their way to a file and back. */
import type { Buffer } from 'node:buffer';
import type { FiledLetter, ReadLetter } from '../../domain/dead-letters/letter-line.js';
import type { MessageFilter } from '../../domain/filter/message-filter.js';
import { searchOf } from '../../domain/filter/text-search.js';
import { UnusableRedisError } from '../../shared/errors.js';
import type { RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import { noteGone } from '../history/gone.js';
import type { RedisKeys } from '../keys.js';
import { walkStep, type Cursor, type Match } from './index-walk.js';
import { runBounds } from './run.js';

const importScript = redisScript('dead-letters/import');

export interface DeadLetterExport {
  readonly filter: MessageFilter;
  readonly onProgress?: (progress: { readonly seen: number; readonly total: number }) => void;
  /** Letters of an earlier version that are moved to the index before. */
  readonly onMoved?: (moved: number, left: number) => void;
}

/** A step of a walk that takes 1 MB of letters, or one that is larger. */
const STEP_LETTERS = 500;

interface Tools {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
}

/** From the oldest to the newest of when it began. A line of the index without a letter is passed over. */
export async function* exportLetters(
  { connection, keys }: Tools,
  { filter, onProgress }: DeadLetterExport,
): AsyncGenerator<FiledLetter> {
  const bounds = await runBounds(connection, keys, filter);
  const search = searchOf(filter);
  let seen = 0;
  for (let after: Cursor | undefined; ;) {
    const request = {
      towards: 'newer',
      after,
      filter,
      ...bounds,
      mostMatches: STEP_LETTERS,
      withLetters: true,
    } as const;
    const step = await walkStep(connection, keys, request);
    for (const match of step.matches) {
      if (search && !search.isIn(match.stored, () => match.entry.letter)) continue;
      const stored = await wholeOf(connection, keys, match);
      if (stored) yield { unique: match.entry.unique, score: match.score, stored };
    }
    seen += step.looked;
    onProgress?.({ seen, total: step.total });
    if (step.isLast || step.looked === 0) return;
    after = step.last ?? after;
  }
}

async function wholeOf(
  connection: RedisConnection,
  { deadLetters }: RedisKeys,
  { stored, storedBytes, entry }: Match,
): Promise<Buffer | null> {
  if (stored.length === storedBytes) return stored;
  return (await connection.call('HGET', deadLetters, entry.unique)) as Buffer | null;
}

/** Resolves to how many were not there before. Rejects with UnusableRedisError when Redis refuses one. */
export async function importLetters({ connection, keys }: Tools, letters: readonly ReadLetter[]): Promise<number> {
  // they have arrived before; said first, so that nobody who looks in between takes them for new ones
  await noteGone(connection, keys, -letters.length);
  const args = letters.flatMap(({ line, score, stored }) => [line, score, stored]);
  const reply = await importScript.run(connection, [keys.deadIndex, keys.deadLetters], args);
  const [put, refusal] = reply as [number, Buffer];
  await noteGone(connection, keys, letters.length - put);
  if (refusal.length > 0) throw new UnusableRedisError(`Redis refused to take a dead letter: ${String(refusal)}`);
  return put;
}
