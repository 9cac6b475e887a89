import { COUNTED_IN_HISTORY, NOTHING_COUNTED, type HistoryCounts } from '../../src/domain/history/book.js';
import { createHistoryWriting } from '../../src/duties/history-writing.js';
import type { HistoryLook } from '../../src/queue/background-queue.js';
import type { DutyTrouble } from '../../src/shared/ipc.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Borrowed, QueueAccess, QueueSettings } from './queue-access.js';

interface HistoryKeepingOptions {
  readonly access: Pick<QueueAccess, 'borrow'>;
  readonly settings: QueueSettings;
  /** Of this supervisor; no other process has it. */
  readonly id: string;
  /** What all workers have counted since the supervisor's start. */
  readonly counts: () => HistoryCounts;
  /** Its workers can deliver nothing. */
  readonly isStandstill: () => boolean;
  /** Told of each look; `forget`: what follows is of another queue. */
  readonly arrivals: { look(look: HistoryLook, now: number): void; forget(): void };
  readonly log: Log;
  readonly clock: Clock;
}

/** The book of one queue. */
interface Book {
  readonly of: string;
  readonly connection: Borrowed;
  readonly writing: ReturnType<typeof createHistoryWriting>;
  /** From now on its counts stand still. @returns all counts as they stand. */
  readonly close: () => HistoryCounts;
}

/** Writes the history of the queue for all workers of this supervisor. Its last word comes after the last worker's. */
export class HistoryKeeping implements Life {
  readonly #options: HistoryKeepingOptions;
  #book: Book | undefined;
  #books = 0;
  #stopped = false;

  constructor(options: HistoryKeepingOptions) {
    this.#options = options;
  }

  /** @throws ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  start(): void {
    if (!this.#stopped) this.#book ??= this.#open(this.#options.settings, NOTHING_COUNTED);
  }

  /** When it cannot be written for 10 s. */
  get trouble(): DutyTrouble | undefined {
    return this.#book?.writing.trouble;
  }

  /** What is counted from now on is of the queue of these settings. Rejects with ConfigError as `start`. */
  async adopt({ redis, queue }: QueueSettings): Promise<void> {
    const former = this.#book;
    if (this.#stopped || former?.of === nameOf({ redis, queue })) return;
    this.#book = this.#open({ redis, queue }, former?.close() ?? NOTHING_COUNTED);
    await end(former);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await end(this.#book);
  }

  #open(settings: QueueSettings, before: HistoryCounts): Book {
    const { access, id, counts, isStandstill, arrivals, clock, log } = this.#options;
    const connection = access.borrow(settings);
    const queue = { ...connection.queue, isReady: () => connection.isReady() };
    let last: HistoryCounts | undefined;
    arrivals.forget();
    this.#books += 1;
    const writing = createHistoryWriting({
      queue,
      writer: `${id}.${this.#books}`,
      counts: () => since(last ?? counts(), before),
      isStandstill,
      onLook: (look) => void (last ?? arrivals.look(look, clock.now())),
      clock,
      log,
    });
    void writing.start();
    return { of: nameOf(settings), connection, writing, close: () => (last ??= counts()) };
  }
}

function since(now: HistoryCounts, before: HistoryCounts): HistoryCounts {
  const counts = { ...now };
  for (const name of COUNTED_IN_HISTORY) counts[name] -= before[name];
  return counts;
}

function nameOf({ redis, queue }: QueueSettings): string {
  return JSON.stringify([redis, queue]);
}

async function end(book: Book | undefined): Promise<void> {
  await book?.writing.stop();
  await book?.connection.release();
}
