import type { FoundListsQueue } from '../queue/background-queue.js';
import { reasonOf, RedisUnavailableError } from '../shared/errors.js';
import type { Log } from '../shared/logger/log.js';
import type { Clock } from '../shared/time/clock.js';
import { printable } from '../shared/words/escape.js';
import type { Duty } from './duty-failures.js';
import { createRepeatingDuty } from './repeating-duty.js';

const EVERY_MS = 600_000;
/** A third of what Redis keeps the search for who has it. */
const KEEP_EVERY_MS = 10_000;
const PAUSE_MS = 50;

interface SearchOptions {
  /** Of this process; no other has it. */
  readonly id: string;
  readonly clock: Clock;
  readonly log: Log;
}

interface SearchedQueue extends FoundListsQueue {
  isReady(): boolean;
}

/**
 * Looks for claims of consumers that nobody knows, so that somebody recovers them: one process for the whole fleet, as soon as
 * it has the search and every ten minutes then. Paced: Redis may hold millions of keys that are not ours.
 */
export class FoundListsSearch {
  readonly #options: SearchOptions;
  /** Monotonic ms; undefined = not since we have the search. */
  #searchedAt: number | undefined;
  #isOurs = false;
  #said = false;

  constructor(options: SearchOptions) {
    this.#options = options;
  }

  /** We have the search, as far as we know. */
  get isOurs(): boolean {
    return this.#isOurs;
  }

  /** Resolves to the ms until the next step. Rejects with RedisUnavailableError while Redis is away. */
  async step(queue: SearchedQueue, signal: AbortSignal): Promise<number> {
    const { id, clock } = this.#options;
    this.#isOurs = await queue.takeSearch(id);
    if (!this.#isOurs) {
      this.#searchedAt = undefined;
    } else if (this.#searchedAt === undefined || clock.now() - this.#searchedAt >= EVERY_MS) {
      await this.#search(queue, signal);
    }
    return KEEP_EVERY_MS;
  }

  /** Somebody else may go on at once. Never rejects. */
  async leave(queue: SearchedQueue): Promise<void> {
    if (this.#isOurs && queue.isReady()) await queue.leaveSearch(this.#options.id).catch(() => undefined);
  }

  async #search(queue: SearchedQueue, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await this.#look(queue, signal);
    } catch (error) {
      // one that was lost midway may be back by now: what is left of the lists is not known, and looked through at once
      if (!queue.isReady() || (error instanceof RedisUnavailableError && error.outcomeUnknown)) throw error;
      // a user who may not
      if (!this.#said) log.info(`Not looking for messages whose worker nobody knows: ${reasonOf(error)}`);
      this.#said = true;
    }
    this.#searchedAt = clock.now();
  }

  async #look(queue: SearchedQueue, signal: AbortSignal): Promise<void> {
    const { id, clock, log } = this.#options;
    let keptAt = clock.now();
    let cursor = '0';
    do {
      const found = await queue.registerFound(cursor);
      cursor = found.cursor;
      for (const consumer of found.consumers) {
        log.warn(
          `Found messages of ${printable(consumer, 255)}, which nobody knows: recovered when its lease has run out`,
        );
      }
      await clock.sleep(PAUSE_MS, signal);
      if (clock.now() - keptAt < KEEP_EVERY_MS) continue;
      keptAt = clock.now();
      if (!(await queue.takeSearch(id))) return;
    } while (cursor !== '0' && !signal.aborted);
  }
}

/** The search of a worker that has no supervisor. */
export function createFoundListsDuty({ queue, ...options }: SearchOptions & { readonly queue: SearchedQueue }): Duty {
  const search = new FoundListsSearch(options);
  const stopped = new AbortController();
  const duty = createRepeatingDuty({
    name: 'search for messages whose worker nobody knows',
    isVital: false,
    isReady: () => queue.isReady(),
    step: () => search.step(queue, stopped.signal),
    retryMs: KEEP_EVERY_MS,
    clock: options.clock,
    log: options.log,
  });
  return {
    get trouble() {
      return duty.trouble;
    },
    start: () => duty.start(),
    async stop() {
      stopped.abort();
      await duty.stop();
      await search.leave(queue);
    },
  };
}
