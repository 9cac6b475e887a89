/**
 * The list of the dead, as an operator uses it: look, deliver again, delete.
 *
 * Newest letters are pushed at the left end. Replay and purge walk from the oldest, page by page, and count positions from
 * the right end, where nothing arrives: a message that dies again while it runs is not met a second time. Each letter is
 * moved or deleted by its bytes, so two operators at once, or one killed midway, do no harm.
 */
import { isMeant, type DeadLetterFilter } from '../domain/dead-letter-filter.js';
import type { Clock } from '../shared/time/clock.js';
import { UnusableRedisError } from '../shared/errors.js';
import type { RedisConnection } from './connection/connection.js';
import { entryOf, freshly, type DeadLetterEntry } from './dead-letter-entry.js';
import type { RedisKeys } from './keys.js';
import { redisScript } from './connection/script.js';

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

/** What a run does with the letters that it takes. */
interface Deed {
  readonly takes: (entry: DeadLetterEntry) => boolean;
  /** Makes its entries leave the list, and resolves to how many did by its doing and not by another operator's. */
  readonly act: (entries: readonly DeadLetterEntry[]) => Promise<number>;
}

export class RedisDeadLetters implements DeadLetters {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #clock: Clock;

  constructor(connection: RedisConnection, keys: RedisKeys, clock: Clock) {
    this.#connection = connection;
    this.#keys = keys;
    this.#clock = clock;
  }

  async list<T>(
    filter: DeadLetterFilter,
    limit: number,
    shown: (entry: DeadLetterEntry) => T,
  ): Promise<DeadLetterPage<T>> {
    const entries: T[] = [];
    let inList = 0;
    for await (const { total, entry } of this.#newestFirst()) {
      inList = total;
      if (!this.#isMeant(entry, filter)) continue;
      if (entries.length === limit) return { total, entries, hasMore: true };
      entries.push(shown(entry));
    }
    return { total: inList, entries, hasMore: false };
  }

  async find(numberOrKey: string): Promise<DeadLetterEntry | undefined> {
    if (/^\d{1,9}$/.test(numberOrKey)) {
      const number = Number(numberOrKey);
      const [stored] = number > 0 ? (await this.#page(number - 1, 1, 1)).stored : [];
      return stored && entryOf(stored, number);
    }
    for await (const { entry } of this.#newestFirst()) if (entry.key === numberOrKey) return entry;
    return undefined;
  }

  replay(run: DeadLetterRun): Promise<DeadLetterProgress> {
    return this.#walk(run, {
      takes: ({ letter }) => letter !== undefined,
      act: async (entries) => {
        const { dead, queue } = this.#keys;
        const pairs = entries.flatMap(({ stored, letter }) => (letter ? [stored, freshly(letter.raw)] : []));
        const [moved, refusal] = (await replayScript.run(this.#connection, [dead, queue], pairs)) as [number, Buffer];
        if (refusal.length > 0) {
          throw new UnusableRedisError(`Redis refused to take a message back into ${queue}: ${String(refusal)}`);
        }
        return moved;
      },
    });
  }

  purge(run: DeadLetterRun): Promise<DeadLetterProgress> {
    return this.#walk(run, {
      takes: () => true,
      act: async (entries) => {
        const stored = entries.map((entry) => entry.stored);
        return (await purgeScript.run(this.#connection, [this.#keys.dead], stored)) as number;
      },
    });
  }

  async #page(index: number, step: 1 | -1, most = PAGE_LETTERS): Promise<{ total: number; stored: Buffer[] }> {
    const reply = await pageScript.run(this.#connection, [this.#keys.dead], [index, step, most, PAGE_BYTES]);
    const [total, stored] = reply as [number, Buffer[]];
    return { total, stored };
  }

  async *#newestFirst(): AsyncGenerator<{ total: number; entry: DeadLetterEntry }> {
    for (let index = 0; ;) {
      const { total, stored } = await this.#page(index, 1);
      if (stored.length === 0) return;
      for (const bytes of stored) yield { total, entry: entryOf(bytes, ++index) };
    }
  }

  /** From the oldest on. */
  async #walk(run: DeadLetterRun, { takes, act }: Deed): Promise<DeadLetterProgress> {
    const { total } = await this.#page(0, 1, 0);
    const progress = { seen: 0, total, meant: 0, done: 0, unreadable: 0 };
    let kept = 0;
    while (progress.seen < total) {
      const { stored } = await this.#page(-1 - kept, -1, Math.min(PAGE_LETTERS, total - progress.seen));
      if (stored.length === 0) break;
      const entries = stored.map((bytes, at) => entryOf(bytes, total - progress.seen - at));
      const meant = entries.filter((entry) => this.#isMeant(entry, run.filter));
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

  #isMeant(entry: DeadLetterEntry, filter: DeadLetterFilter): boolean {
    return isMeant(entry, entry.letter, filter, this.#clock.wallNow());
  }
}
