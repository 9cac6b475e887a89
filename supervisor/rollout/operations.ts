import type { Clock } from '../../src/shared/time/clock.js';
import type { Config } from '../../src/shared/config/config.js';
import type { LoadedConfig } from '../../src/shared/config/load.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';
import { Reloader } from './reload.js';
import { ReplacementError, replaceWorker, rollingRestart } from './rolling-restart.js';
import type { WorkerPool } from '../workers/worker-pool.js';
import type { WorkerSlot } from '../workers/worker-slot.js';

export interface OperationsParams {
  readonly pool: WorkerPool;
  readonly read: () => LoadedConfig;
  readonly log: Log;
  readonly clock: Clock;
  /** A configuration is in service now: what the primary itself takes from it may change. */
  readonly onAdopted: (config: Config) => Promise<void>;
  /** An operation began or ended. */
  readonly onChange: () => void;
}

interface Restart {
  readonly slot: WorkerSlot;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What takes several rounds of the reconcile loop: reloads and replacements, one at a time, so capacity stays ≥ N-1. */
export class Operations {
  readonly #params: OperationsParams;
  readonly reloader: Reloader;
  isReloading = false;
  readonly #bloated = new Map<number, number>();
  readonly #restarts: Restart[] = [];
  #running: Promise<void> | undefined;

  constructor(params: OperationsParams) {
    this.#params = params;
    this.reloader = new Reloader({
      read: params.read,
      current: () => params.pool.config,
      apply: (config) => this.#apply(config),
      log: params.log,
      clock: params.clock,
    });
  }

  /** The process uses more memory than it may. */
  requestReplacement(pid: number, memoryBytes: number): void {
    this.#bloated.set(pid, memoryBytes);
    this.#params.onChange();
  }

  /** Gives the worker a fresh process in its turn. Rejects with ReplacementError: then the old one serves on. */
  restart(slot: WorkerSlot): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#restarts.push({ slot, resolve, reject });
      this.#params.onChange();
    });
  }

  /** We are stopping: nothing that has not begun will. */
  refuseAll(): void {
    const reason = 'The supervisor is stopping.';
    this.reloader.refuse(reason);
    for (const { reject } of this.#restarts.splice(0)) reject(new ReplacementError(reason));
  }

  /** Until the next one can begin, in ms. */
  dueInMs(): number {
    return this.#running ? Infinity : this.reloader.dueInMs();
  }

  startIfDue(): void {
    if (this.#running || this.#params.pool.stopping) return;
    const work = this.reloader.dueInMs() <= 0 ? this.#reload() : (this.#restartWanted() ?? this.#replaceBloated());
    this.#running = work?.finally(() => {
      this.#running = undefined;
      this.#params.onChange();
    });
  }

  /** Resolves when the one under way has ended. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #reload(): Promise<void> {
    this.isReloading = true;
    this.#params.onChange();
    await this.reloader.run();
    this.isReloading = false;
  }

  async #apply(config: Config): Promise<void> {
    const { pool, log, onAdopted } = this.#params;
    try {
      await rollingRestart(pool, config, log);
    } finally {
      // Also after a reload that stopped half-way: the pool's configuration decides.
      if (pool.config === config) await onAdopted(config);
    }
  }

  #restartWanted(): Promise<void> | undefined {
    const { pool, log } = this.#params;
    const wanted = this.#restarts.shift();
    if (!wanted) return undefined;
    log.info(`Replacing ${wanted.slot.current?.title ?? `worker ${wanted.slot.number}`}, as asked for`);
    return replaceWorker(pool, wanted.slot, pool.config).then(wanted.resolve, (error: unknown) => {
      log.error(`The replacement failed: ${reasonOf(error)}`);
      wanted.reject(error);
    });
  }

  #replaceBloated(): Promise<void> | undefined {
    const { pool, log } = this.#params;
    for (const [pid, bytes] of this.#bloated) {
      this.#bloated.delete(pid);
      const slot = pool.slots.find(({ current }) => current?.pid === pid && current.stage === 'active');
      if (!slot?.current) continue;
      const mebibytes = Math.round(bytes / 1024 / 1024);
      log.warn(`${slot.current.title} uses ${mebibytes} MiB, more than worker.max_memory allows; replacing it`);
      return replaceWorker(pool, slot, pool.config).catch((error: unknown) =>
        log.error(`The replacement failed: ${reasonOf(error)}`),
      );
    }
    return undefined;
  }
}
