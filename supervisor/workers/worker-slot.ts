import type { Config } from '../../src/shared/config/config.js';
import type { WorkerHandle } from './worker-handle.js';

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
  /** Monotonic time before which no new process is started. */
  startAt = 0;
  /** Why the last process ended, until the next one has booted. */
  trouble: string | undefined;

  constructor(readonly number: number) {}

  get processes(): WorkerHandle[] {
    return [this.current, this.incoming, ...this.leaving].filter((handle) => handle !== undefined);
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
