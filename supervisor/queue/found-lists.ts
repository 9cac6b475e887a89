/**
 * Looks at the start and every ten minutes for claims of consumers that nobody knows, so that somebody recovers them. Paced:
 * Redis may hold millions of keys that are not ours.
 */
import type { FoundListsQueue } from '../../src/queue/message-queue.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { printable } from '../../src/shared/words/escape.js';
import type { Borrowed, QueueAccess, QueueSettings } from './queue-access.js';

const EVERY_MS = 600_000;
const PAUSE_MS = 50;
const RETRY_MS = 10_000;
/** A stop waits for no longer than that. */
const READY_MS = 500;

interface FoundListsOptions {
  readonly access: Pick<QueueAccess, 'borrow'>;
  readonly settings: QueueSettings;
  readonly log: Log;
  readonly clock: Clock;
}

export class FoundLists implements Life {
  readonly #options: FoundListsOptions;
  readonly #end = new AbortController();
  #settings: QueueSettings;
  #running: Promise<void> | undefined;
  #said = false;

  constructor(options: FoundListsOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  start(): void {
    if (!this.#end.signal.aborted) this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** The next look is at the queue of these settings. */
  adopt(settings: QueueSettings): void {
    this.#settings = settings;
  }

  async #run(): Promise<void> {
    const { access, clock, log } = this.#options;
    while (!this.#end.signal.aborted) {
      let connection: Borrowed | undefined;
      let pauseMs = EVERY_MS;
      try {
        connection = access.borrow(this.#settings);
        await connection.whenReady(READY_MS);
        if (connection.isReady()) await this.#look(connection.queue);
        else pauseMs = RETRY_MS;
      } catch (error) {
        if (connection?.isReady() === false) pauseMs = RETRY_MS;
        else if (!this.#said) log.info(`Not looking for messages whose worker nobody knows: ${reasonOf(error)}`);
        this.#said ||= pauseMs === EVERY_MS;
      } finally {
        await connection?.release();
      }
      await clock.sleep(pauseMs, this.#end.signal);
    }
  }

  async #look(queue: FoundListsQueue): Promise<void> {
    const { clock, log } = this.#options;
    let cursor = '0';
    do {
      const found = await queue.registerFound(cursor);
      cursor = found.cursor;
      for (const consumer of found.consumers) {
        log.warn(
          `Found messages of ${printable(consumer, 255)}, which nobody knows: recovered when its lease has run out`,
        );
      }
      await clock.sleep(PAUSE_MS, this.#end.signal);
    } while (cursor !== '0' && !this.#end.signal.aborted);
  }
}
