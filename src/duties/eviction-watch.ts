import type { Clock } from '../shared/time/clock.js';
import type { Log } from '../shared/logger/log.js';
import type { Duty } from './duty-failures.js';
import { createRepeatingDuty } from './repeating-duty.js';

/** The policy changes by an operator's hand only, who sees it followed within 15 s. */
const LOOK_EVERY_MS = 10_000;
const TRY_AGAIN_MS = 1_000;

interface EvictionWatchOptions {
  readonly queue: {
    isReady(): boolean;
    /** maxmemory-policy; undefined when Redis does not tell. */
    evictionPolicy(): Promise<string | undefined>;
  };
  readonly onPolicy: (policy: string | undefined) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Looks whether Redis may delete the queue when its memory is full: somebody may change that while the worker runs. */
export function createEvictionWatch({ queue, onPolicy, clock, log }: EvictionWatchOptions): Duty {
  return createRepeatingDuty({
    name: 'eviction watch',
    isVital: false,
    isReady: () => queue.isReady(),
    async step() {
      onPolicy(await queue.evictionPolicy());
      return LOOK_EVERY_MS;
    },
    retryMs: TRY_AGAIN_MS,
    clock,
    log,
  });
}
