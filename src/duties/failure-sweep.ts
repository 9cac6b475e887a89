import type { FailureQueue } from '../queue/background-queue.js';
import type { Log } from '../shared/logger/log.js';
import type { Clock } from '../shared/time/clock.js';
import type { Duty } from './duty-failures.js';
import { createRepeatingDuty } from './repeating-duty.js';

/** One process of the fleet sweeps each hour; which one is asked more often, since the last one may have died. */
const ASK_EVERY_MS = 300_000;
const RETRY_MS = 10_000;
const PAUSE_MS = 25;
const DAY_MS = 86_400_000;

interface FailureSweepOptions {
  readonly queue: Pick<FailureQueue, 'isReady' | 'takeFailureSweep' | 'sweepFailures'>;
  readonly retryIntervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Forgets the failed attempts of messages that have not failed for a day and two intervals: somebody else has delivered
 * them, a Python worker or an earlier build. Paced, since there may be 100,000.
 */
export function createFailureSweep({ queue, retryIntervalMs, clock, log }: FailureSweepOptions): Duty {
  const stopped = new AbortController();
  const duty = createRepeatingDuty({
    name: 'sweep of the failed attempts that nobody needs any more',
    isVital: false,
    isReady: () => queue.isReady(),
    async step() {
      if (await queue.takeFailureSweep()) await sweep();
      return ASK_EVERY_MS;
    },
    retryMs: RETRY_MS,
    clock,
    log,
  });

  async function sweep(): Promise<void> {
    const olderThan = clock.wallNow() - DAY_MS - 2 * retryIntervalMs;
    let forgotten = 0;
    let cursor = '0';
    do {
      const step = await queue.sweepFailures(cursor, olderThan);
      ({ cursor } = step);
      forgotten += step.forgotten;
      if (cursor !== '0') await clock.sleep(PAUSE_MS, stopped.signal);
    } while (cursor !== '0' && !stopped.signal.aborted);
    if (forgotten > 0)
      log.debug(`Forgot the failed attempts of ${forgotten} message(s) that have not failed for a day`);
  }

  return {
    get trouble() {
      return duty.trouble;
    },
    start: () => duty.start(),
    async stop() {
      stopped.abort();
      await duty.stop();
    },
  };
}
