import { DutyFailures } from '../../src/duties/duty-failures.js';
import { FoundListsSearch } from '../../src/duties/found-lists.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { DutyTrouble } from '../../src/shared/ipc.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Borrowed, QueueAccess, QueueSettings } from './queue-access.js';

const RETRY_MS = 10_000;
/** A stop waits for no longer than that. */
const READY_MS = 500;

interface FoundListsOptions {
  readonly access: Pick<QueueAccess, 'borrow'>;
  readonly settings: QueueSettings;
  /** Of this supervisor; no other process has it. */
  readonly id: string;
  readonly log: Log;
  readonly clock: Clock;
}

type SearchedConnection = Borrowed['queue'] & Pick<Borrowed, 'isReady' | 'whenReady'>;

/** The supervisor's part in the search for claims of consumers that nobody knows (src/duties/found-lists.ts). */
export class FoundLists implements Life {
  readonly #options: FoundListsOptions;
  readonly #end = new AbortController();
  readonly #failures: DutyFailures;
  #search: FoundListsSearch;
  #settings: QueueSettings;
  #running: Promise<void> | undefined;

  constructor(options: FoundListsOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#failures = new DutyFailures({
      ...options,
      name: 'search for messages whose worker nobody knows',
      isVital: false,
    });
    this.#search = new FoundListsSearch(options);
  }

  /** When it fails for 10 s: then nobody knows whether there are such messages. */
  get trouble(): DutyTrouble | undefined {
    return this.#failures.trouble;
  }

  start(): void {
    if (!this.#end.signal.aborted) this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** The next look is at the queue of these settings; what is there of the former one ends by itself. */
  adopt(settings: QueueSettings): void {
    if (
      JSON.stringify([settings.redis, settings.queue]) !== JSON.stringify([this.#settings.redis, this.#settings.queue])
    ) {
      this.#search = new FoundListsSearch(this.#options);
    }
    this.#settings = settings;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#end.signal.aborted) {
      await clock.sleep(await this.#pauseAfterStep(), this.#end.signal);
    }
    if (this.#search.isOurs) await this.#leave().catch(() => undefined);
  }

  /** Another supervisor may go on at once. */
  #leave(): Promise<void> {
    return this.#borrowed(async (queue) => {
      await queue.whenReady(READY_MS);
      await this.#search.leave(queue);
    });
  }

  async #pauseAfterStep(): Promise<number> {
    try {
      return await this.#step();
    } catch (error) {
      // the authority of its certificate cannot be read, which others tell
      this.#failures.excused();
      this.#options.log.debug(`Looking for messages whose worker nobody knows is tried again: ${reasonOf(error)}`);
      return RETRY_MS;
    }
  }

  /** Resolves to the ms until the next one. */
  #step(): Promise<number> {
    return this.#borrowed(async (queue) => {
      await queue.whenReady(READY_MS);
      try {
        if (queue.isReady()) {
          const pauseMs = await this.#search.step(queue, this.#end.signal);
          this.#failures.worked();
          return pauseMs;
        }
        this.#failures.excused();
      } catch (error) {
        // what a lost connection ends is told as the loss of Redis
        if (queue.isReady()) this.#failures.failed(error);
        else this.#failures.excused();
      }
      return RETRY_MS;
    });
  }

  async #borrowed<T>(use: (queue: SearchedConnection) => Promise<T>): Promise<T> {
    const connection = this.#options.access.borrow(this.#settings);
    const { isReady, whenReady } = connection;
    try {
      return await use({ ...connection.queue, isReady, whenReady });
    } finally {
      await connection.release();
    }
  }
}
