import type { Log } from '../shared/logger/log.js';
import type { Clock } from '../shared/time/clock.js';
import { Wake } from '../shared/time/wake.js';
import type { DutyName } from '../shared/words/duties.js';
import { DutyFailures, type Duty } from './duty-failures.js';

interface RepeatingDutyOptions {
  /** As in "the retry scheduler has failed". */
  readonly name: DutyName;
  /** Delivery or retries hang on it. */
  readonly isVital: boolean;
  /** False = Redis is away, which others tell; the step waits `retryMs`. Default: it needs nobody. */
  readonly isReady?: () => boolean;
  /** Resolves to the ms until the next step. One that rejects is repeated after `retryMs`. */
  readonly step: () => Promise<number>;
  readonly retryMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Repeats one step, the first at once, until it is stopped; a step under way is waited for. */
export function createRepeatingDuty(options: RepeatingDutyOptions): Duty {
  const { step, isReady = () => true, retryMs } = options;
  const wake = new Wake(options.clock);
  const failures = new DutyFailures(options);
  let stopping = false;
  let running: Promise<void> | undefined;

  async function pauseAfterStep(): Promise<number> {
    try {
      if (isReady()) {
        const pauseMs = await step();
        failures.worked();
        return pauseMs;
      }
      failures.excused();
    } catch (error) {
      // what a lost connection ends is told as the loss of Redis
      if (isReady()) failures.failed(error);
      else failures.excused();
    }
    return retryMs;
  }

  async function repeat(): Promise<void> {
    while (!stopping) {
      const pauseMs = await pauseAfterStep();
      if (!stopping && pauseMs > 0) await wake.sleep(pauseMs);
    }
  }

  return {
    get trouble() {
      return failures.trouble;
    },
    start() {
      running ??= repeat();
    },
    async stop() {
      stopping = true;
      wake.wake();
      await running;
    },
  };
}
