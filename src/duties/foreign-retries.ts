import type { RetryQueue } from '../queue/background-queue.js';
import { reasonOf } from '../shared/errors.js';
import type { Clock } from '../shared/time/clock.js';
import type { Log } from '../shared/logger/log.js';

/** Another worker may have met some and died since. */
const LOOK_EVERY_MS = 60_000;
/** Where they cannot be set aside. */
const TRY_AGAIN_MS = 5_000;
const SAY_AGAIN_MS = 60_000;

interface ForeignRetriesOptions {
  readonly queue: Pick<RetryQueue, 'setAside' | 'retryKey'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Moves what no worker has written from the retries to the list of the dead, a step at a time. Whether that works or not,
 * the retries flow: the scripts that meet such members have put them out of the way.
 */
export class ForeignRetries {
  readonly #options: ForeignRetriesOptions;
  #dueAt = -Infinity;
  #saidAt = -Infinity;
  #isRefused = false;

  constructor(options: ForeignRetriesOptions) {
    this.#options = options;
  }

  /** There are some. */
  met(): void {
    if (!this.#isRefused) this.#dueAt = -Infinity;
  }

  /** Up to so many, if it is time; resolves to whether there may be more that can be moved now. Never rejects. */
  async setAside(limit: number): Promise<boolean> {
    const { queue, clock, log } = this.#options;
    if (clock.now() < this.#dueAt) return false;
    const what = `member(s) of ${queue.retryKey} that no worker has written (does another program use this key?)`;
    try {
      const { moved, isOver } = await queue.setAside(limit);
      this.#isRefused = false;
      if (moved > 0) log.warn(`Moved ${moved} ${what} to the dead list, as malformed`);
      this.#dueAt = isOver ? clock.now() + LOOK_EVERY_MS : -Infinity;
      return !isOver;
    } catch (error) {
      this.#isRefused = true;
      this.#dueAt = clock.now() + TRY_AGAIN_MS;
      if (clock.now() - this.#saidAt >= SAY_AGAIN_MS) {
        this.#saidAt = clock.now();
        log.error(`There are ${what}; they cannot be moved to the dead list, and hold up nothing: ${reasonOf(error)}`);
      }
      return false;
    }
  }
}
