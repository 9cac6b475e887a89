/** Moves what earlier versions buried to where this one looks, beside everything else and at half of the time at most. */
import { reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Borrowed } from './queue-access.js';

interface DeadLetterInboxOptions {
  readonly log: Log;
  readonly clock: Clock;
}

export class DeadLetterInbox implements Life {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #end = new AbortController();
  #emptying: Promise<void> | undefined;
  #hasFailed = false;

  constructor({ log, clock }: DeadLetterInboxOptions) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Nothing to do: who sees that there are some says so. */
  start(): void {}

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#emptying;
  }

  /** Until there are none; a call meanwhile does nothing. */
  empty(connection: Pick<Borrowed, 'queue'>): void {
    if (this.#end.signal.aborted) return;
    this.#emptying ??= this.#empty(connection).finally(() => (this.#emptying = undefined));
  }

  async #empty({ queue }: Pick<Borrowed, 'queue'>): Promise<void> {
    const all = { moved: 0, unreadable: 0 };
    try {
      for (let left = 1; left > 0 && !this.#end.signal.aborted;) {
        const startedAt = this.#clock.now();
        const step = await queue.moveOldDeadLetters();
        all.moved += step.moved;
        all.unreadable += step.unreadable;
        left = step.moved === 0 ? 0 : step.left;
        // the others who need Redis get as much of its time
        if (left > 0) await this.#clock.sleep(this.#clock.now() - startedAt, this.#end.signal);
      }
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed && !this.#end.signal.aborted) {
        this.#log.warn(`Dead letters of an earlier version stay in its list for now: ${reasonOf(error)}`);
      }
      this.#hasFailed = true;
    }
    this.#report(all);
  }

  #report({ moved, unreadable }: { readonly moved: number; readonly unreadable: number }): void {
    if (moved > 0) this.#log.info(`Moved ${moved} dead letters of an earlier version to the index`);
    if (unreadable > 0) {
      this.#log.warn(`${unreadable} of them are no dead letters that a worker wrote; they are kept as they are`);
    }
  }
}
