import type { Log } from '../../src/shared/logger/log.js';
import type { Operations } from '../rollout/operations.js';
import type { ReloadResult } from '../rollout/reload.js';
import { StoppingError } from '../rollout/stopping-error.js';
import type { StatusDocument } from '../status/status-document.js';
import { statusLines } from '../status/documents/status-lines.js';
import { whyNotAsMany } from '../workers/number-of-workers.js';
import type { WorkerPool } from '../workers/worker-pool.js';
import { slotIdentity } from '../workers/worker-slot.js';
import type { ReceivedSignal } from './signals.js';

interface ControlOptions {
  readonly pool: WorkerPool;
  readonly operations: Operations;
  readonly status: () => StatusDocument;
  readonly log: Log;
  /** The reconcile loop should look. */
  readonly onChange: () => void;
}

/** What can be done to the supervisor: by signal, by request, and by itself when no worker can start. */
export class Control {
  readonly #options: ControlOptions;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  act({ action, number }: ReceivedSignal): void {
    const { pool, operations, status, log } = this.#options;
    switch (action) {
      case 'stop':
        return this.#stop(pool.stopping ? `Received signal ${number} again` : `Received signal ${number}`);
      case 'reload':
        if (pool.stopping) return log.warn(`${new StoppingError().message} It does not reload.`);
        return operations.requestReload();
      case 'one-more':
        return this.#scaleOrWarn(pool.target + 1);
      case 'one-fewer':
        return this.#scaleOrWarn(pool.target - 1);
      case 'dump':
        return statusLines(status()).forEach((line) => log.info(line));
    }
  }

  giveUpIfFatal(): void {
    const { pool, log } = this.#options;
    if (!pool.fatal || pool.stopping) return;
    log.error(`No worker can start: ${pool.fatal.reason}`);
    pool.killAll();
  }

  /** Resolves to the result of the reload that begins after this call. Rejects with StoppingError. */
  reload(): Promise<ReloadResult> {
    return this.#options.operations.reload();
  }

  /** Why not, if not. */
  scale(workers: number): string | undefined {
    const { pool, log } = this.#options;
    if (pool.stopping) return new StoppingError().message;
    const problem = whyNotAsMany(pool.config, workers);
    if (problem !== undefined) return problem;
    log.info(`Number of workers: ${pool.target} → ${workers}`);
    pool.scale(workers);
    return undefined;
  }

  /** undefined = there is no such worker. Rejects with ReplacementError: then the old process serves on; or StoppingError. */
  restart(workerId: string): Promise<void> | undefined {
    const { pool, operations } = this.#options;
    if (pool.stopping) return Promise.reject(new StoppingError());
    const slot = pool.slots.find(
      ({ current, number }) => (current?.workerId ?? slotIdentity(pool.config, number).workerId) === workerId,
    );
    return slot && operations.restart(slot);
  }

  /**
   * `now`: hand back what is in flight in place of waiting for it. Unlike a second signal a second request means nothing:
   * its sender may only want to wait for the end.
   */
  stop(now: boolean): void {
    if (!this.#options.pool.stopping) this.#stop('Received a request to stop');
    if (now) this.#stop('Received a request to stop now');
  }

  #stop(cause: string): void {
    const { pool, operations, log, onChange } = this.#options;
    if (pool.stopping) {
      log.warn(`${cause}, ending at once`);
      return pool.killAll();
    }
    log.info(`${cause}, initiating graceful shutdown...`);
    pool.drainAll();
    operations.refuseAll();
    onChange();
  }

  #scaleOrWarn(workers: number): void {
    const problem = this.scale(workers);
    if (problem !== undefined) this.#options.log.warn(problem);
  }
}
