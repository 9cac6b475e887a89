import type { Clock } from '../shared/time/clock.js';
import { Wake } from '../shared/time/wake.js';

/** A background duty of a worker. `stop` may be called twice and resolves when nothing of it runs any more. */
export interface Duty {
  start(): void;
  stop(): Promise<void>;
}

/**
 * A duty that repeats one step: `step` resolves to the ms until the next one. A step that rejects is reported and
 * repeated after `retryMs`.
 */
export function createRepeatingDuty(options: {
  readonly step: () => Promise<number>;
  readonly onError: (error: unknown) => void;
  readonly retryMs: number;
  readonly clock: Clock;
}): Duty {
  const wake = new Wake(options.clock);
  let stopping = false;
  let running: Promise<void> | undefined;

  async function repeat(): Promise<void> {
    while (!stopping) {
      const pause = await options.step().catch((error: unknown) => {
        options.onError(error);
        return options.retryMs;
      });
      if (!stopping && pause > 0) await wake.sleep(pause);
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
