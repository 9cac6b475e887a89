/**
 * The list of the dead, as an operator uses it: look, deliver again, delete.
 *
 * Newest letters are pushed at the left end. Replay and purge walk from the oldest, page by page, and count positions from
 * the right end, where nothing arrives: a message that dies again while it runs is not met a second time. Each letter is
 * moved or deleted by its bytes, so two operators at once, or one killed midway, do no harm.
 */
import { createHash } from 'node:crypto';
import { isMeant, type DeadLetterFilter } from '../domain/dead-letter-filter.js';
import { readDeadLetter, type StoredDeadLetter } from '../domain/dead-letter.js';
import { parseMessage, withAttemptCount } from '../domain/message.js';
import type { Clock } from '../shared/time/clock.js';
import { UnusableRedisError } from '../shared/errors.js';
import type { RedisConnection } from './connection.js';
import type { RedisKeys } from './keys.js';
import { redisScript } from './script.js';

export interface DeadLetterEntry {
  /** 1 = the newest at the time of the look; it changes when letters come and go. */
  readonly number: number;
  /** 12 hexadecimal digits of the envelope's SHA-1: stays the letter's for ever. */
  readonly key: string;
  /** Undefined when the message has none that can be read. */
  readonly messageId: string | undefined;
  /** Undefined when this is no envelope; `stored` shows what it is. */
  readonly letter: StoredDeadLetter | undefined;
  /** As it stands in the list. */
  readonly stored: Buffer;
}

export interface DeadLetterPage<T> {
  /** Letters in the list, meant or not. */
  readonly total: number;
  /** Newest first. */
  readonly entries: readonly T[];
  /** More are meant than were asked for. */
  readonly hasMore: boolean;
}

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
}

interface DeadLetterRun {
  readonly filter: DeadLetterFilter;
  /** Counts and changes nothing. */
  readonly dryRun: boolean;
  readonly onProgress?: (progress: DeadLetterProgress) => void;
}

/** Every method rejects with RedisUnavailableError while Redis does not answer. */
export interface DeadLetters {
  /** `shown`: what is kept of each letter. The letters themselves may be larger together than the process may get. */
  list<T>(filter: DeadLetterFilter, limit: number, shown: (entry: DeadLetterEntry) => T): Promise<DeadLetterPage<T>>;
  /** By number or key; undefined when there is none. */
  find(numberOrKey: string): Promise<DeadLetterEntry | undefined>;
  /** Oldest first, to the left end of the queue, attempt_count back to 0. */
  replay(run: DeadLetterRun): Promise<DeadLetterProgress>;
  purge(run: DeadLetterRun): Promise<DeadLetterProgress>;
}

const PAGE_LETTERS = 200;
const PAGE_BYTES = 1_048_576;

const pageScript = redisScript('dead-page');
const replayScript = redisScript('dead-replay');
const purgeScript = redisScript('dead-purge');

export function createDeadLetters(connection: RedisConnection, keys: RedisKeys, clock: Clock): DeadLetters {
  async function page(index: number, step: 1 | -1, most = PAGE_LETTERS): Promise<{ total: number; stored: Buffer[] }> {
    const reply = await pageScript.run(connection, [keys.dead], [index, step, most, PAGE_BYTES]);
    const [total, stored] = reply as [number, Buffer[]];
    return { total, stored };
  }

  async function* newestFirst(): AsyncGenerator<{ total: number; entry: DeadLetterEntry }> {
    for (let index = 0; ;) {
      const { total, stored } = await page(index, 1);
      if (stored.length === 0) return;
      for (const bytes of stored) yield { total, entry: entryOf(bytes, ++index) };
    }
  }

  /** `act` makes its entries leave the list, and resolves to how many did by its doing and not by another operator's. */
  async function walk(
    run: DeadLetterRun,
    {
      takes,
      act,
    }: { takes: (entry: DeadLetterEntry) => boolean; act: (entries: DeadLetterEntry[]) => Promise<number> },
  ) {
    const { total } = await page(0, 1, 0);
    const progress = { seen: 0, total, meant: 0, done: 0, unreadable: 0 };
    let kept = 0;
    while (progress.seen < total) {
      const { stored } = await page(-1 - kept, -1, Math.min(PAGE_LETTERS, total - progress.seen));
      if (stored.length === 0) break;
      const entries = stored.map((bytes, at) => entryOf(bytes, total - progress.seen - at));
      const meant = entries.filter((entry) => isMeant(entry, entry.letter, run.filter, clock.wallNow()));
      const taken = run.dryRun ? [] : meant.filter(takes);
      const done = taken.length === 0 ? 0 : await act(taken);
      kept += stored.length - taken.length;
      progress.seen += stored.length;
      progress.meant += meant.length;
      progress.done += done;
      progress.unreadable += meant.filter(({ letter }) => !letter).length;
      run.onProgress?.({ ...progress });
    }
    return progress;
  }

  return {
    async list<T>(filter: DeadLetterFilter, limit: number, shown: (entry: DeadLetterEntry) => T) {
      const entries: T[] = [];
      let inList = 0;
      for await (const { total, entry } of newestFirst()) {
        inList = total;
        if (!isMeant(entry, entry.letter, filter, clock.wallNow())) continue;
        if (entries.length === limit) return { total, entries, hasMore: true };
        entries.push(shown(entry));
      }
      return { total: inList, entries, hasMore: false };
    },

    async find(numberOrKey) {
      if (/^\d{1,9}$/.test(numberOrKey)) {
        const number = Number(numberOrKey);
        const [stored] = number > 0 ? (await page(number - 1, 1, 1)).stored : [];
        return stored && entryOf(stored, number);
      }
      for await (const { entry } of newestFirst()) if (entry.key === numberOrKey) return entry;
      return undefined;
    },

    replay: (run) =>
      walk(run, {
        takes: ({ letter }) => letter !== undefined,
        act: async (entries) => {
          const pairs = entries.flatMap(({ stored, letter }) => (letter ? [stored, freshly(letter.raw)] : []));
          const reply = await replayScript.run(connection, [keys.dead, keys.queue], pairs);
          const [moved, refusal] = reply as [number, Buffer];
          if (refusal.length > 0) {
            throw new UnusableRedisError(`Redis refused to take a message back into ${keys.queue}: ${String(refusal)}`);
          }
          return moved;
        },
      }),

    purge: (run) =>
      walk(run, {
        takes: () => true,
        act: async (entries) => {
          const stored = entries.map((entry) => entry.stored);
          return (await purgeScript.run(connection, [keys.dead], stored)) as number;
        },
      }),
  };
}

function entryOf(stored: Buffer, number: number): DeadLetterEntry {
  const letter = readDeadLetter(stored);
  const parsed = letter && parseMessage(letter.raw);
  return {
    number,
    key: createHash('sha1').update(stored).digest('hex').slice(0, 12),
    messageId: parsed?.ok ? parsed.message.id : undefined,
    letter,
    stored,
  };
}

/** What cannot be parsed has no count to put back: it is delivered as it is, and dies again as long as nobody mends it. */
function freshly(raw: Buffer): Buffer {
  const parsed = parseMessage(raw);
  return parsed.ok && parsed.message.attemptCount > 0 ? withAttemptCount(raw, 0) : raw;
}
