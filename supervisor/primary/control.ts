import { constants, hostname } from 'node:os';
import type { Act, Deed, Operator } from '../../src/domain/audit/deed.js';
import { reasonOf } from '../../src/shared/errors.js';
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
  readonly audit: { note(deed: Deed): Promise<void> };
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
    const { pool, status, log } = this.#options;
    const by = signalOf(number);
    switch (action) {
      case 'stop':
        return this.#stop(pool.stopping ? `Received signal ${number} again` : `Received signal ${number}`, by);
      case 'reload':
        if (pool.stopping) return log.warn(`${new StoppingError().message} It does not reload.`);
        // the log tells what became of it
        return void this.reload(by).catch(() => undefined);
      case 'one-more':
        return this.#scaleOrWarn(pool.target + 1, by);
      case 'one-fewer':
        return this.#scaleOrWarn(pool.target - 1, by);
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
  reload(by: Operator): Promise<ReloadResult> {
    const reloaded = this.#options.operations.reload();
    const outcome = ({ ok, reason = 'no reason given' }: ReloadResult): string => (ok ? 'done' : `failed: ${reason}`);
    void reloaded.then(outcome, failureOf).then((detail) => this.#note({ action: 'reload', detail }, by));
    return reloaded;
  }

  /** Why not, if not. */
  scale(workers: number, by: Operator): string | undefined {
    const { pool, log } = this.#options;
    if (pool.stopping) return new StoppingError().message;
    const problem = whyNotAsMany(pool.config, workers);
    if (problem !== undefined) return problem;
    const detail = `${pool.target} → ${workers}`;
    log.info(`Number of workers: ${detail}`);
    pool.scale(workers);
    this.#note({ action: 'scale', detail }, by);
    return undefined;
  }

  /** undefined = there is no such worker. Rejects with ReplacementError: then the old process serves on; or StoppingError. */
  restart(workerId: string, by: Operator): Promise<void> | undefined {
    const { pool, operations } = this.#options;
    if (pool.stopping) return Promise.reject(new StoppingError());
    const slot = pool.slots.find(
      ({ current, number }) => (current?.workerId ?? slotIdentity(pool.config, number).workerId) === workerId,
    );
    const restarted = slot && operations.restart(slot);
    const outcome = (failure?: string): string => (failure === undefined ? workerId : `${workerId}, ${failure}`);
    void restarted
      ?.then(
        () => outcome(),
        (error: unknown) => outcome(failureOf(error)),
      )
      .then((detail) => this.#note({ action: 'restart', detail }, by));
    return restarted;
  }

  /**
   * `now`: hand back what is in flight in place of waiting for it. Unlike a second signal a second request means nothing:
   * its sender may only want to wait for the end.
   */
  stop(now: boolean, by: Operator): void {
    if (!this.#options.pool.stopping) this.#stop('Received a request to stop', by);
    if (now) this.#stop('Received a request to stop now', by);
  }

  #stop(cause: string, by: Operator): void {
    const { pool, operations, log, onChange } = this.#options;
    if (pool.stopping) {
      log.warn(`${cause}, ending at once`);
      this.#note({ action: 'stop', detail: 'at once' }, by);
      return pool.killAll();
    }
    log.info(`${cause}, initiating graceful shutdown...`);
    this.#note({ action: 'stop' }, by);
    pool.drainAll();
    operations.refuseAll();
    onChange();
  }

  #scaleOrWarn(workers: number, by: Operator): void {
    const problem = this.scale(workers, by);
    if (problem !== undefined) this.#options.log.warn(problem);
  }

  #note(act: Act, by: Operator): void {
    void this.#options.audit.note({ ...act, ...by });
  }
}

function failureOf(error: unknown): string {
  return `failed: ${reasonOf(error)}`;
}

function signalOf(number: number): Operator {
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return { who: `signal ${name ?? number}`, where: hostname() };
}
