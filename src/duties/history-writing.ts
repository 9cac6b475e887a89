import { NOTHING_COUNTED, type HistoryCounts } from '../domain/history/book.js';
import { waitSecondsOf } from '../domain/history/oldest-wait.js';
import type { HistoryLook, HistoryQueue } from '../queue/background-queue.js';
import { isRedisRefusal, SideBooksOffError } from '../shared/errors.js';
import type { DutyTrouble } from '../shared/ipc.js';
import type { Log } from '../shared/logger/log.js';
import type { Clock } from '../shared/time/clock.js';
import { troubleOf, type Duty } from './duty-failures.js';
import { createRepeatingDuty } from './repeating-duty.js';

const WRITE_EVERY_MS = 2_000;
/** A full Redis, or a user who may not: nobody waits for it. */
const REFUSED_AGAIN_MS = 10_000;

interface HistoryWritingOptions {
  readonly queue: HistoryQueue;
  /** This process: a name that is never used again. */
  readonly writer: string;
  /** As they stand since its start. */
  readonly counts: () => HistoryCounts;
  /** Nothing can be delivered; default: never. */
  readonly isStandstill?: () => boolean;
  readonly onLook?: (look: HistoryLook) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Writes what this process, or its workers, have counted into the history of the queue, and the rest at the end. Deliveries
 * have no part in it: where Redis refuses, that is said once, and what was counted meanwhile is written later.
 */
export function createHistoryWriting(options: HistoryWritingOptions): Duty {
  const { queue, clock, log } = options;
  const writer = new HistoryWriter(options);
  const duty = createRepeatingDuty({
    name: 'history',
    isVital: false,
    isReady: () => queue.isReady(),
    step: async () => ((await writer.write()) ? WRITE_EVERY_MS : REFUSED_AGAIN_MS),
    retryMs: WRITE_EVERY_MS,
    clock,
    log,
  });
  return {
    get trouble() {
      return duty.trouble ?? writer.trouble;
    },
    start: () => duty.start(),
    async stop() {
      await duty.stop();
      // who lived on would have been told of an outage; of the last seconds there is nobody left to tell
      if (queue.isReady()) await writer.write().catch(() => undefined);
    },
  };
}

class HistoryWriter {
  readonly #options: HistoryWritingOptions;
  #written = NOTHING_COUNTED;
  #last: { readonly look: HistoryLook; readonly heardAt: number } | undefined;
  #oldestWaitSeconds: number | undefined;
  #refused: { readonly at: number; readonly reason: string; readonly isWanted: boolean } | undefined;
  #standsSince: number | undefined;

  constructor(options: HistoryWritingOptions) {
    this.#options = options;
  }

  /** False = Redis refuses it. Rejects with RedisUnavailableError when it is away. */
  async write(): Promise<boolean> {
    const { queue, writer, counts, isStandstill, onLook, clock } = this.#options;
    const now = counts();
    const at = clock.now();
    this.#standsSince = isStandstill?.() ? (this.#standsSince ?? at) : undefined;
    const note = {
      writer,
      counts: now,
      written: this.#written,
      stoodMs: at - (this.#standsSince ?? at),
      oldestWaitSeconds: this.#oldestWaitSeconds,
      redisNow: this.#redisNow,
    };
    try {
      const look = await queue.noteHistory(note);
      this.#written = now;
      this.#last = { look, heardAt: clock.now() };
      this.#oldestWaitSeconds = waitSecondsOf(look.oldest, clock.wallNow());
      this.#taken();
      onLook?.(look);
      return true;
    } catch (error) {
      if (!queue.isReady() || !isRedisRefusal(error)) throw error;
      this.#noteRefusal(error);
      return false;
    }
  }

  get #redisNow(): number {
    const { clock } = this.#options;
    return this.#last ? this.#last.look.at + clock.now() - this.#last.heardAt : clock.wallNow();
  }

  /** What Redis refuses for 10 s is said as of a duty that fails; what was asked for is no failure. */
  get trouble(): DutyTrouble | undefined {
    if (!this.#refused || this.#refused.isWanted) return undefined;
    const { at, reason } = this.#refused;
    return troubleOf({ name: 'history', isVital: false }, reason, this.#options.clock.now() - at);
  }

  #noteRefusal(error: Error): void {
    if (this.#refused) return;
    const { clock, log } = this.#options;
    const { message: reason } = error;
    const isWanted = error instanceof SideBooksOffError;
    this.#refused = { at: clock.now(), reason, isWanted };
    log[isWanted ? 'info' : 'warn'](
      `The history of the queue is not written, and deliveries go on without it: ${reason}`,
    );
  }

  #taken(): void {
    if (!this.#refused) return;
    const seconds = Math.round((this.#options.clock.now() - this.#refused.at) / 1_000);
    this.#refused = undefined;
    this.#options.log.info(
      `The history of the queue is written again after ${seconds} s; what was counted meanwhile stands in this minute`,
    );
  }
}
