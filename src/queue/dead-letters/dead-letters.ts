/**
 * The dead letters, as an operator uses them: look, deliver again, delete.
 *
 * Everything goes over the index, in steps that hold Redis for some milliseconds; a search for a text reads the letters as
 * well. What earlier versions buried is moved to the index before.
 */
import type { FiledLetter, ReadLetter } from '../../domain/dead-letters/letter-line.js';
import type { MessageFilter } from '../../domain/filter/message-filter.js';
import type { Clock } from '../../shared/time/clock.js';
import type { RedisConnection } from '../connection/connection.js';
import type { RedisKeys } from '../keys.js';
import { purgeDeed, replayDeed, returnDeed, type Deed } from './deeds.js';
import type { DeadLetterEntry } from './entry.js';
import { exportLetters, importLetters, type DeadLetterExport } from './filing.js';
import { DeadLetterMove } from './inbox.js';
import { listLetters, type DeadLetterPage, type DeadLetterQuery } from './listing.js';
import { LetterReader } from './reader.js';
import { runOverLetters, type DeadLetterProgress, type DeadLetterRun } from './run.js';

/** Every method rejects with RedisUnavailableError while Redis does not answer. */
export interface DeadLetters {
  /** `shown`: what is kept of each letter. The letters themselves may be larger together than the process may get. */
  list<T>(query: DeadLetterQuery, shown: (entry: DeadLetterEntry) => T): Promise<DeadLetterPage<T>>;
  /**
   * By place, key or message id; undefined when there is none. `whole`: also a letter of hundreds of MB, of which
   * otherwise only the beginning is read.
   */
  find(name: string, options: { readonly whole: boolean }): Promise<DeadLetterEntry | undefined>;
  /** Oldest first, to the left end of the queue, attempt_count back to 0. */
  replay(run: DeadLetterRun): Promise<DeadLetterProgress>;
  purge(run: DeadLetterRun): Promise<DeadLetterProgress>;
  /** Whole letters, from the oldest to the newest of now. */
  exported(what: DeadLetterExport): AsyncIterable<FiledLetter>;
  /** Each under its key, unless one lies there; resolves to how many did not. Tells the main server nothing. */
  import(letters: readonly ReadLetter[]): Promise<number>;
  /** To the list in which version 1.0 looks; a supervisor of this version must not run. */
  returnToList(run: DeadLetterRun): Promise<DeadLetterProgress>;
}

/** Before a list is shown, old letters are moved for so long at most. */
const MOVE_BEFORE_LIST_MS = 50;

interface RedisDeadLettersOptions {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly clock: Clock;
  /** Larger messages are put back as they are. */
  readonly messageMaxBytes: number;
}

export class RedisDeadLetters implements DeadLetters {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #clock: Clock;
  readonly #messageMaxBytes: number;
  readonly #inbox: DeadLetterMove;
  readonly #reader: LetterReader;

  constructor({ connection, keys, clock, messageMaxBytes }: RedisDeadLettersOptions) {
    this.#connection = connection;
    this.#keys = keys;
    this.#clock = clock;
    this.#messageMaxBytes = messageMaxBytes;
    this.#inbox = new DeadLetterMove(connection, keys);
    this.#reader = new LetterReader(connection, keys);
  }

  async list<T>(query: DeadLetterQuery, shown: (entry: DeadLetterEntry) => T): Promise<DeadLetterPage<T>> {
    const unmoved = await this.#inbox.empty({ clock: this.#clock, budgetMs: MOVE_BEFORE_LIST_MS });
    const page = await listLetters(this.#tools(), await this.#resolved(query), shown);
    return { ...page, total: page.total + unmoved, unmoved };
  }

  async find(name: string, { whole }: { readonly whole: boolean }): Promise<DeadLetterEntry | undefined> {
    const unmoved = await this.#inbox.empty({ clock: this.#clock, budgetMs: MOVE_BEFORE_LIST_MS });
    const found = await this.#reader.find(name, whole);
    if (found || unmoved === 0) return found;
    await this.#inbox.empty({ clock: this.#clock });
    return this.#reader.find(name, whole);
  }

  replay(run: DeadLetterRun): Promise<DeadLetterProgress> {
    return this.#run(run, replayDeed(this.#connection, this.#keys, this.#messageMaxBytes));
  }

  purge(run: DeadLetterRun): Promise<DeadLetterProgress> {
    return this.#run(run, purgeDeed(this.#connection, this.#keys));
  }

  async *exported(what: DeadLetterExport): AsyncGenerator<FiledLetter> {
    await this.#inbox.empty({ clock: this.#clock, ...(what.onMoved ? { onMoved: what.onMoved } : {}) });
    yield* exportLetters(this.#tools(), await this.#resolved(what));
  }

  import(letters: readonly ReadLetter[]): Promise<number> {
    return importLetters(this.#tools(), letters);
  }

  /** A dry run moves nothing to the index before: what lies in the list, put there by an earlier run, is where it belongs. */
  async returnToList(run: DeadLetterRun): Promise<DeadLetterProgress> {
    const deed = returnDeed(this.#connection, this.#keys, this.#messageMaxBytes);
    return run.dryRun ? runOverLetters(this.#tools(), await this.#resolved(run), deed) : this.#run(run, deed);
  }

  async #run(run: DeadLetterRun, deed: Deed): Promise<DeadLetterProgress> {
    await this.#inbox.empty({ clock: this.#clock, ...(run.onMoved ? { onMoved: run.onMoved } : {}) });
    return runOverLetters(this.#tools(), await this.#resolved(run), deed);
  }

  /** With the keys that earlier versions showed in the form of today. */
  async #resolved<Request extends { readonly filter: MessageFilter }>(request: Request): Promise<Request> {
    const { ids } = request.filter;
    if (!ids) return request;
    return { ...request, filter: { ...request.filter, ids: await this.#reader.resolve(ids) } };
  }

  #tools() {
    return { connection: this.#connection, keys: this.#keys, clock: this.#clock, reader: this.#reader };
  }
}
