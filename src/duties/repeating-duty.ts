import type { Life } from '../shared/life.js';
import type { Clock } from '../shared/time/clock.js';
import { Wake } from '../shared/time/wake.js';

interface RepeatingDutyOptions {
  /** Resolves to the ms until the next step. One that rejects is reported and repeated after `retryMs`. */
  readonly step: () => Promise<number>;
  readonly onError: (error: unknown) => void;
  readonly retryMs: number;
  readonly clock: Clock;
}

/** Repeats one step, the first at once, until it is stopped; a step under way is waited for. */
export function createRepeatingDuty(options: RepeatingDutyOptions): Life {
  const wake = new Wake(options.clock);
  let stopping = false;
  let running: Promise<void> | undefined;

  async function repeat(): Promise<void> {
    while (!stopping) {
      const pauseMs = await options.step().catch((error: unknown) => {
        options.onError(error);
        return options.retryMs;
      });
      if (!stopping && pauseMs > 0) await wake.sleep(pauseMs);
    }
  }

  return {
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
