import { printable } from '../shared/words/escape.js';
import type { RetryQueue } from '../queue/message-queue.js';
import type { Clock } from '../shared/time/clock.js';
import type { Log } from '../shared/logger/log.js';
import type { Duty } from './duty-failures.js';
import { createRepeatingDuty } from './repeating-duty.js';

/** One script run moves this many at most, so that 10,000 due at once do not hold Redis for others. */
const BATCH = 200;
/** Another host may schedule something due sooner than what we know of: look at least this often. */
const LONGEST_SLEEP_MS = 500;
const SHORTEST_SLEEP_MS = 5;

interface RetrySchedulerOptions {
  readonly queue: RetryQueue;
  readonly clock: Clock;
  readonly log: Log;
}

/** Moves due retries back to the queue. Every worker does it; the script makes each move happen once. */
export function createRetryScheduler(options: RetrySchedulerOptions): Duty {
  const { queue, clock, log } = options;
  return createRepeatingDuty({
    name: 'retry scheduler',
    isVital: true,
    isReady: () => queue.isReady(),
    async step() {
      const { moved, messageIds, nextDueMs } = await queue.promoteDue(BATCH);
      for (const id of messageIds) log.info(`Message ${printable(id, 255)} re-queued for retry`);
      if (moved === BATCH) return 0;
      return Math.min(Math.max(nextDueMs ?? LONGEST_SLEEP_MS, SHORTEST_SLEEP_MS), LONGEST_SLEEP_MS);
    },
    retryMs: LONGEST_SLEEP_MS,
    clock,
    log,
  });
}
