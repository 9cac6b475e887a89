import { RedisClock, type ClockStep } from '../domain/clocks/redis-clock.js';
import { StepsBack, type SetBack } from '../domain/clocks/steps-back.js';
import { printable } from '../shared/words/escape.js';
import type { PromotionClock, RetryQueue } from '../queue/background-queue.js';
import type { Clock } from '../shared/time/clock.js';
import type { Log } from '../shared/logger/log.js';
import type { Duty } from './duty-failures.js';
import { ForeignRetries } from './foreign-retries.js';
import { createRepeatingDuty } from './repeating-duty.js';

/** One script run moves this many at most, so that 10,000 due at once do not hold Redis for others. */
const BATCH = 200;
/** Another host may schedule something due sooner than what we know of: look at least this often. */
const LONGEST_SLEEP_MS = 500;
const SHORTEST_SLEEP_MS = 5;

interface RetrySchedulerOptions {
  readonly queue: RetryQueue;
  /** How long a retry waits: for so long after a step ahead of Redis's clock, retries fall due by the old reckoning. */
  readonly retryIntervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Moves due retries back to the queue. Every worker does it; the script makes each move happen once. */
export function createRetryScheduler(options: RetrySchedulerOptions): Duty {
  const { queue, clock, log } = options;
  const scheduler = new RetryScheduler(options);
  return createRepeatingDuty({
    name: 'retry scheduler',
    isVital: true,
    isReady: () => queue.isReady(),
    step: () => scheduler.step(),
    retryMs: LONGEST_SLEEP_MS,
    clock,
    log,
  });
}

/** A walk through the retries, from the one due last on, that sets right what a step of the clock has put off. */
interface Walk {
  readonly from: number;
  readonly backMs: number;
  readonly setBackBefore: readonly SetBack[];
  /** Ends at the first page that is in order: nobody saw a step. */
  readonly isLook: boolean;
}

class RetryScheduler {
  readonly #options: RetrySchedulerOptions;
  readonly #redisClock: RedisClock;
  readonly #stepsBack = new StepsBack();
  // it may have been set back while nobody ran
  #walk: Walk | undefined = { from: 0, backMs: 0, setBackBefore: [], isLook: true };
  readonly #foreign: ForeignRetries;

  constructor(options: RetrySchedulerOptions) {
    this.#options = options;
    this.#foreign = new ForeignRetries(options);
    this.#redisClock = new RedisClock(options.retryIntervalMs);
  }

  /** Resolves to the ms until the next. */
  async step(): Promise<number> {
    const { queue, clock, log } = this.#options;
    const sentAt = clock.now();
    const { moved, messageIds, nextDueMs, foreign, redisNow } = await queue.promoteDue(BATCH, this.#reckoning(sentAt));
    for (const id of messageIds) log.info(`Message ${printable(id, 255)} re-queued for retry`);
    const step = this.#redisClock.heard({ sentAt, heardAt: clock.now(), redisNow });
    if (step) this.#noteStep(step, redisNow);
    if (foreign > 0) this.#foreign.met();
    if (this.#walk) await this.#walkOn(this.#walk);
    const isForeignLeft = await this.#foreign.setAside(BATCH);
    // the next, too, may be large: the script has looked at no more than it may
    if (moved > 0) return 0;
    if (this.#walk || foreign > 0 || isForeignLeft) return SHORTEST_SLEEP_MS;
    return Math.min(Math.max(nextDueMs ?? LONGEST_SLEEP_MS, SHORTEST_SLEEP_MS), LONGEST_SLEEP_MS);
  }

  #reckoning(now: number): PromotionClock {
    const [latest, earliest] = [this.#redisClock.latest(now), this.#redisClock.earliest(now)];
    return { latest, earliest, setBack: this.#stepsBack.at(now) };
  }

  #noteStep({ byMs, withinMs }: ClockStep, redisNow: number): void {
    const { log, clock, retryIntervalMs } = this.#options;
    const seconds = (Math.abs(byMs) / 1_000).toFixed(1);
    if (byMs > 0) {
      log.warn(`The clock of Redis was set ahead by ${seconds} s: retries go on as if it had not been`);
      return;
    }
    log.warn(`The clock of Redis was set back by ${seconds} s: waiting retries keep their intervals`);
    this.#walk = { from: 0, backMs: -byMs, setBackBefore: this.#stepsBack.at(clock.now()), isLook: false };
    // after a longer step each retry shows that it is from before
    if (-byMs >= retryIntervalMs) return this.#stepsBack.clear();
    // what has begun since may be from after it: better late than early
    const to = Math.floor(redisNow - withinMs);
    this.#stepsBack.add({ to, byMs: Math.round(-byMs), until: clock.now() + retryIntervalMs });
  }

  async #walkOn(walk: Walk): Promise<void> {
    const { kept, changed, foreign } = await this.#options.queue.setRight({ ...walk, limit: BATCH });
    if (foreign > 0) this.#foreign.met();
    const isOver = kept + changed + foreign === 0 || (walk.isLook && changed + foreign === 0);
    this.#walk = isOver ? undefined : { ...walk, from: walk.from + kept };
  }
}
