import { hostname } from 'node:os';
import type { Deed } from '../../src/domain/audit/deed.js';
import { TrustedTime } from '../../src/domain/dead-letters/trusted-time.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Borrowed, QueueAccess, QueueSettings } from './queue-access.js';

const INTERVAL_MS = 3_600_000;
const RETRY_MS = 10_000;
/** A stop waits for no longer than that. */
const READY_MS = 500;
const DAY_MS = 86_400_000;

interface DeadLetterExpiryOptions {
  readonly access: Pick<QueueAccess, 'borrow'>;
  readonly settings: QueueSettings;
  /** Of this supervisor; no other process has it. */
  readonly id: string;
  readonly audit: { note(deed: Deed): Promise<void> };
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Deletes dead letters that are older than DEAD_LETTER_DAYS: at its start and each hour, in small steps, with as long a pause
 * behind each as it took, and only while no other supervisor of the fleet does.
 */
export class DeadLetterExpiry implements Life {
  readonly #options: DeadLetterExpiryOptions;
  readonly #time = new TrustedTime();
  readonly #end = new AbortController();
  #settings: QueueSettings;
  #changed = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: DeadLetterExpiryOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  start(): void {
    if (!this.#end.signal.aborted) this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    this.#changed.abort();
    await this.#running;
  }

  /** Looks at once when letters are kept for another time, or in another place. */
  adopt(settings: QueueSettings): void {
    const isSame =
      JSON.stringify([settings.redis, settings.queue]) === JSON.stringify([this.#settings.redis, this.#settings.queue]);
    this.#settings = settings;
    if (!isSame) this.#changed.abort();
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    while (!this.#end.signal.aborted) {
      this.#changed = new AbortController();
      let pauseMs = INTERVAL_MS;
      try {
        if (this.#settings.queue.deadLetterDays > 0 && !(await this.#look())) pauseMs = RETRY_MS;
      } catch (error) {
        // Redis is away, which others tell, or it refuses to delete, and the letters stay
        log.warn(`Old dead letters are not deleted for now: ${reasonOf(error)}`);
      }
      await clock.sleep(pauseMs, this.#changed.signal);
    }
  }

  /** Resolves to false when Redis is not there. */
  async #look(): Promise<boolean> {
    const { access, id, clock } = this.#options;
    const { queue: settings } = this.#settings;
    const connection = access.borrow(this.#settings);
    try {
      await connection.whenReady(READY_MS);
      if (!connection.isReady()) return false;
      const { queue } = connection;
      const clocks = { redis: await queue.redisTime(), host: clock.wallNow(), monotonic: clock.now() };
      const before = this.#time.at(clocks) - settings.deadLetterDays * DAY_MS;
      const deleted = await this.#delete(queue, before).finally(() => queue.leaveExpiry(id));
      if (deleted > 0) this.#say(deleted, settings.deadLetterDays);
      return true;
    } finally {
      await connection.release();
    }
  }

  async #delete(queue: Borrowed['queue'], beforeMs: number): Promise<number> {
    const { id, clock } = this.#options;
    let deleted = 0;
    let after: Awaited<ReturnType<typeof queue.expireDeadLetters>>['after'];
    while (!this.#changed.signal.aborted && (await queue.takeExpiry(id))) {
      const startedAt = clock.now();
      const step = await queue.expireDeadLetters(beforeMs, after);
      deleted += step.deleted;
      after = step.after;
      if (step.isOver) break;
      // the others who need Redis get as much of its time
      await clock.sleep(clock.now() - startedAt, this.#changed.signal);
    }
    return deleted;
  }

  #say(count: number, days: number): void {
    const { log, audit } = this.#options;
    log.info(`Deleted ${count} dead letters that were older than DEAD_LETTER_DAYS (${days})`);
    void audit.note({
      action: 'expire',
      who: 'DEAD_LETTER_DAYS',
      where: hostname(),
      filter: { older_than_days: days },
      count,
    });
  }
}
