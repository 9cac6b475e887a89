import type { Config } from '../../src/shared/config/config.js';
import type { Beat } from '../../src/shared/ipc.js';
import type { WorkerHandle } from './worker-handle.js';

export interface Totals {
  readonly processed: number;
  readonly delivered: number;
  readonly failed: number;
  readonly retried: number;
}

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
 * (`incoming`), and former holders finish what they have in flight (`leaving`). Restarts and totals belong to the place.
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

  #gone: Totals = NOTHING;

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
    this.#gone = sum(this.#gone, handle.beat);
    if (this.leaving.delete(handle)) return 'leaving';
    if (this.incoming === handle) {
      this.incoming = undefined;
      return 'incoming';
    }
    this.current = undefined;
    return 'current';
  }

  /** Counts of all processes this slot ever had; they never go back. */
  totals(): Totals {
    return this.processes.reduce((total, handle) => sum(total, handle.beat), this.#gone);
  }
}

const NOTHING: Totals = { processed: 0, delivered: 0, failed: 0, retried: 0 };

function sum(totals: Totals, beat: Beat | undefined): Totals {
  if (!beat) return totals;
  return {
    processed: totals.processed + beat.processed,
    delivered: totals.delivered + beat.delivered,
    failed: totals.failed + beat.failed,
    retried: totals.retried + beat.retried,
  };
}
