/**
 * Replay and purge: from the oldest letter to the newest of when they began. What may still be told of, if Redis's clock was
 * set ahead, is left at first; when any telling is over by our own clock, those are gone over once more.
 */
import type { Buffer } from 'node:buffer';
import { TellingWindow } from '../../domain/clocks/telling-window.js';
import { isUnfiltered, type MessageFilter } from '../../domain/filter/message-filter.js';
import { searchOf } from '../../domain/filter/text-search.js';
import type { Clock } from '../../shared/time/clock.js';
import type { RedisConnection } from '../connection/connection.js';
import type { RedisKeys } from '../keys.js';
import { boundsOf, timeOf } from './bounds.js';
import type { Deed } from './deeds.js';
import type { DeadLetterEntry } from './entry.js';
import { walkStep, type Cursor, type Match } from './index-walk.js';
import type { LetterReader } from './reader.js';

export interface DeadLetterProgress {
  /** Letters looked at, of `total`. */
  readonly seen: number;
  readonly total: number;
  /** Letters that the filter means. */
  readonly meant: number;
  /** Of these, moved or deleted by us. */
  readonly done: number;
  /** Of these, left where they are because they are no envelopes: what to deliver cannot be told. */
  readonly unreadable: number;
  /** Of these, left where they are because the main server is being told of them now: again in so many ms. */
  readonly beingTold?: { readonly letters: number; readonly againInMs: number };
  /** Somebody has ended it before it was through. */
  readonly isInterrupted?: true;
}

export interface DeadLetterRun {
  readonly filter: MessageFilter;
  /** Counts and changes nothing. */
  readonly dryRun: boolean;
  /** Ends it after the step that is under way. */
  readonly signal?: AbortSignal;
  /** Each that the filter means, as it is met. */
  readonly onMeant?: (entry: DeadLetterEntry) => void;
  readonly onProgress?: (progress: DeadLetterProgress) => void;
  /** Letters of an earlier version that are moved to the index before. */
  readonly onMoved?: (moved: number, left: number) => void;
  /** Of so many letters the main server may still be hearing: they are left alone for so long. */
  readonly onWait?: (letters: number, ms: number) => void;
}

interface Tools {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly reader: LetterReader;
  readonly clock: Clock;
}

/** What one is told who cannot wait for it: the next run does. */
const STANDING_MS = 1_000;

export async function runOverLetters(tools: Tools, run: DeadLetterRun, deed: Deed): Promise<DeadLetterProgress> {
  const { connection, keys, clock } = tools;
  const redisNow = await timeOf(connection);
  const window = new TellingWindow(clock.now(), redisNow);
  const bounds = await runBounds(connection, keys, run.filter, redisNow);
  const round: Round = { deed, bounds, over: () => window.overUpTo(clock.now()) };
  const { standing, ...first } = await goOver(tools, run, round);
  if (standing === 0 || first.isInterrupted) return first;
  const leftMs = window.leftMs(clock.now());
  if (leftMs > 0) run.onWait?.(standing, leftMs);
  await clock.sleep(leftMs, run.signal);
  if (run.signal?.aborted) return { ...first, isInterrupted: true };
  const { filter, dryRun, signal } = run;
  const again = await goOver(tools, { filter, dryRun, ...(signal ? { signal } : {}) }, round);
  return bothOf(first, again);
}

/** The second has met again what the first has left. */
function bothOf(
  { seen, total, meant, done, unreadable }: DeadLetterProgress,
  { done: doneThen, beingTold, isInterrupted }: DeadLetterProgress,
): DeadLetterProgress {
  const all = { seen, total, meant, done: done + doneThen, unreadable };
  return { ...all, ...(beingTold ? { beingTold } : {}), ...(isInterrupted ? { isInterrupted } : {}) };
}

interface Round {
  readonly deed: Deed;
  readonly bounds: { readonly lowest: string; readonly highest: string };
  /** See Deed. */
  readonly over: () => number;
}

async function goOver(tools: Tools, run: DeadLetterRun, round: Round): Promise<Tally> {
  const { connection, keys } = tools;
  const { deed, bounds } = round;
  const total = (await connection.call('ZCARD', keys.deadIndex)) as number;
  const progress: Tally = { seen: 0, total, meant: 0, done: 0, unreadable: 0, standing: 0 };
  const named = await namedOnly(tools, run.filter);
  if (named) {
    await tally(progress, named, run, round);
    return { ...progress, seen: total };
  }
  const search = searchOf(run.filter);
  for (let after: Cursor | undefined; progress.seen < total;) {
    if (run.signal?.aborted) return { ...progress, isInterrupted: true };
    const step = await walkStep(connection, keys, {
      towards: 'newer',
      after,
      filter: run.filter,
      ...bounds,
      mostLooked: total - progress.seen,
      mostMatches: deed.mostMatches,
      withLetters: deed.needsLetters || search !== undefined,
    });
    const meant = step.matches.filter((match) => !search || search.isIn(match.stored, () => match.entry.letter));
    const taken = new Set(await tally(progress, meant, run, round));
    progress.seen += step.looked;
    run.onProgress?.({ ...progress });
    if (step.isLast || step.looked === 0) break;
    const kept = step.matches.filter((match) => !taken.has(match)).at(-1);
    after = later(kept, step.lastOther) ?? after;
  }
  return { ...progress, seen: total };
}

/** When keys of letters are all that was asked for, no walk is needed. */
async function namedOnly({ reader }: Tools, { ids, ...rest }: MessageFilter): Promise<readonly Match[] | undefined> {
  if (!ids || !isUnfiltered(rest)) return undefined;
  const entries = await reader.named(ids);
  return entries?.map((entry) => ({ ...entry, score: '', entry }));
}

interface Tally extends DeadLetterProgress {
  seen: number;
  meant: number;
  done: number;
  unreadable: number;
  beingTold?: { readonly letters: number; readonly againInMs: number };
  /** Of these, free already if Redis's clock was not set ahead. */
  standing: number;
}

/** Resolves to those that are not among the dead any more. */
async function tally(
  progress: Tally,
  meant: readonly Match[],
  { dryRun, onMeant }: DeadLetterRun,
  { deed, over }: Round,
): Promise<readonly Match[]> {
  const taken = meant.filter(deed.takes);
  progress.meant += meant.length;
  if (onMeant) for (const { entry } of meant) onMeant(entry);
  progress.unreadable += meant.length - taken.length;
  if (dryRun || taken.length === 0) return [];
  const { done, beingTold, againInMs, standing } = await deed.act(taken, over());
  progress.done += done;
  progress.standing += standing;
  if (beingTold.size === 0) return taken;
  const before = progress.beingTold ?? { letters: 0, againInMs: 0 };
  const letters = before.letters + beingTold.size;
  const ms = Math.max(before.againInMs, againInMs, standing > 0 ? STANDING_MS : 0);
  progress.beingTold = { letters, againInMs: ms };
  return taken.filter(({ line }) => !beingTold.has(line));
}

/** Of two that stay, the one that is behind the other on the way to the newest: removed ones are no marks to go on from. */
function later<Placed extends { readonly place: number }>(
  one: Placed | undefined,
  other: Placed | undefined,
): Placed | undefined {
  if (!one || !other) return one ?? other;
  return one.place < other.place ? one : other;
}

/** Not beyond the newest of now: what dies again while the run goes on is not meant. */
export async function runBounds(
  connection: RedisConnection,
  keys: RedisKeys,
  filter: MessageFilter,
  redisNow?: number,
) {
  const bounds = await boundsOf(connection, filter, redisNow);
  const newest = (await connection.call('ZREVRANGE', keys.deadIndex, 0, 0, 'WITHSCORES')) as Buffer[];
  const score = String(newest[1] ?? '+inf');
  return Number(bounds.highest) < Number(score) ? bounds : { ...bounds, highest: score };
}
