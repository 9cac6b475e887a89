import type { Config } from '../../src/shared/config/config.js';
import type { WorkerHandle } from './worker-handle.js';

/** From `quiet` on: 5 s for the old process to answer (rollout/rolling-restart.ts), and as long for the new one to claim. */
const HAND_OVER_MS = 10_000;

/** What the worker of slot `number` (from 1) is called and where it shows its metrics. */
export function slotIdentity(
  config: Config,
  number: number,
): { readonly workerId: string; readonly metricsPort: number } {
  return {
    workerId: `${config.worker.id || 'worker'}-${number}`,
    metricsPort: config.metrics.port === 0 ? 0 : config.metrics.port + number - 1,
  };
}

/**
 * A place for one worker. Processes come and go in it: at most one holds it (`current`), one may be booting to take over
 * (`incoming`), and former holders finish what they have in flight (`leaving`). Restarts belong to the place; what
 * its processes count is added up by its number in status/counts.ts, since a place that is scaled away comes back as another.
 */
export class WorkerSlot {
  current: WorkerHandle | undefined;
  incoming: WorkerHandle | undefined;
  readonly leaving = new Set<WorkerHandle>();

  restarts = 0;
  /** Of those restarts, how many were of a process that hung. */
  hangs = 0;
  crashesInARow = 0;
  /** Deaths before `booted`, one after the other. */
  bootCrashes = 0;
  /** Processes that did not boot in time, one after the other. */
  slowBoots = 0;
  /** Monotonic time before which no new process is started. */
  startAt = 0;
  /** Why the last process ended, until the next one has booted. */
  trouble: string | undefined;
  /** What the process that caused it ran with. */
  troubledConfig: Config | undefined;

  #vouchedUntil = -Infinity;

  constructor(readonly number: number) {}

  get processes(): WorkerHandle[] {
    return [this.current, this.incoming, ...this.leaving].filter((handle) => handle !== undefined);
  }

  /** The current process is asked to give the place up to one that has booted. `now` is monotonic. */
  handOver(now: number): void {
    if (this.current?.isConsuming) this.#vouchedUntil = now + HAND_OVER_MS;
    this.current?.quiet();
  }

  /**
   * Messages are taken here. In the moment between two processes of one place, in which neither can prove it, the old one's
   * word stands for both.
   */
  isServed(now: number): boolean {
    if (!this.current) return false;
    return this.current.isConsuming || (now < this.#vouchedUntil && this.current.isBetweenTwo);
  }

  /** The current process loses the place and ends in its own time. */
  release(): WorkerHandle | undefined {
    const old = this.current;
    if (old) this.leaving.add(old);
    this.current = undefined;
    return old;
  }

  /** A process of this slot is gone; says in which part it was. */
  forget(handle: WorkerHandle): 'current' | 'incoming' | 'leaving' {
    if (this.leaving.delete(handle)) return 'leaving';
    if (this.incoming === handle) {
      this.incoming = undefined;
      return 'incoming';
    }
    this.current = undefined;
    return 'current';
  }
}
