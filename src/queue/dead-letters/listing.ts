import { Buffer } from 'node:buffer';
import type { MessageFilter } from '../../domain/filter/message-filter.js';
import { searchOf } from '../../domain/filter/text-search.js';
import type { Clock } from '../../shared/time/clock.js';
import type { RedisConnection } from '../connection/connection.js';
import type { RedisKeys } from '../keys.js';
import { boundsOf } from './bounds.js';
import type { DeadLetterEntry } from './entry.js';
import { walkStep, type Cursor } from './index-walk.js';

export interface DeadLetterQuery {
  readonly filter: MessageFilter;
  /** Entries at most. */
  readonly limit: number;
  /** The `cursor` of an earlier page, to go on behind it. */
  readonly after?: string;
  /** Then what was found is returned, with a cursor. */
  readonly budgetMs?: number;
  /** Nobody waits for the page any more: what was found is returned. */
  readonly isAbandoned?: () => boolean;
  readonly onProgress?: (progress: { readonly looked: number; readonly total: number; readonly found: number }) => void;
}

export interface DeadLetterPage<T> {
  /** Dead letters, meant or not. */
  readonly total: number;
  /** Of these, from the newest on, how many have been looked at, on earlier pages or on this one. */
  readonly looked: number;
  /** Newest first. */
  readonly entries: readonly T[];
  /** More are meant, or may be among those not looked at. */
  readonly hasMore: boolean;
  /** Where a next page begins; undefined when there is none. */
  readonly cursor: string | undefined;
  /** Of `total`, letters of an earlier version that are not in the index yet and so on no page. */
  readonly unmoved: number;
}

interface Tools {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly clock: Clock;
}

/** A step of a search for a text may match in every letter that it looks at. */
const TEXT_MATCHES = 2_000;

export async function listLetters<T>(
  { connection, keys, clock }: Tools,
  query: DeadLetterQuery,
  shown: (entry: DeadLetterEntry) => T,
): Promise<DeadLetterPage<T>> {
  const { filter, limit, budgetMs = Infinity, isAbandoned, onProgress } = query;
  const until = clock.now() + budgetMs;
  const bounds = await boundsOf(connection, filter);
  const search = searchOf(filter);
  const entries: T[] = [];
  let after = readCursor(query.after);
  for (;;) {
    const mostMatches = search ? TEXT_MATCHES : limit + 1 - entries.length;
    const request = { towards: 'older', after, filter, ...bounds, mostMatches, withLetters: true } as const;
    const step = await walkStep(connection, keys, request);
    for (const match of step.matches) {
      if (search && !search.isIn(match.stored, () => match.entry.letter)) continue;
      if (entries.length === limit) {
        return { ...pageOf(entries, step.total, match.place - 1), hasMore: true, cursor: after && cursorText(after) };
      }
      after = match;
      entries.push(shown(match.entry));
    }
    if (step.isLast) return { ...pageOf(entries, step.total, step.total), hasMore: false, cursor: undefined };
    after = step.last ?? after;
    const looked = step.last?.place ?? 0;
    onProgress?.({ looked, total: step.total, found: entries.length });
    if (clock.now() >= until || isAbandoned?.() === true) {
      return { ...pageOf(entries, step.total, looked), hasMore: true, cursor: after && cursorText(after) };
    }
  }
}

function pageOf<T>(entries: readonly T[], total: number, looked: number) {
  return { total, looked, entries, unmoved: 0 };
}

function cursorText({ line, score }: Cursor): string {
  return Buffer.from(`${score} ${line}`).toString('base64url');
}

/** @returns undefined also when it is none of ours: the list then begins at the newest. */
function readCursor(text: string | undefined): Cursor | undefined {
  const match = /^(-?[\d.e+]{1,30}) (.+)$/.exec(Buffer.from(text ?? '', 'base64url').toString('utf8'));
  return match?.[1] !== undefined && match[2] !== undefined && Number.isFinite(Number(match[1]))
    ? { score: match[1], line: match[2] }
    : undefined;
}
