/**
 * What takes several rounds of the reconcile loop: reloads and replacements, one at a time, so capacity stays ≥ N-1.
 *
 *   idle ──startIfDue()──→ reload or replacement under way ──it ends──→ idle
 *
 * What waits for its turn, in the order in which it gets it:
 *   1. a reload. It is due a second after the first who asked, and whoever asks within that second means the same one; the
 *      files are read when it begins, so who asks from then on means one more.
 *   2. restarts of single workers, in the order in which they were asked for.
 *   3. replacements of processes that use more memory than they may.
 * When we are stopping nothing begins: who asks then is refused at once, and `refuseAll` tells all who wait. The one under
 * way ends by itself: it works on a pool that is stopping.
 */
import { reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { WorkerPool } from '../workers/worker-pool.js';
import type { WorkerSlot } from '../workers/worker-slot.js';
import type { Reload, ReloadResult } from './reload.js';
import { replaceWorker } from './replacement.js';
import { StoppingError } from './stopping-error.js';

interface OperationsOptions {
  readonly pool: WorkerPool;
  readonly reload: Pick<Reload, 'run'>;
  readonly log: Log;
  readonly clock: Clock;
  /** An operation was asked for, began or ended: the reconcile loop should look. */
  readonly onChange: () => void;
}

interface UnderWay {
  readonly isReload: boolean;
  readonly ended: Promise<void>;
}

interface Awaiting<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Restart extends Awaiting<void> {
  readonly slot: WorkerSlot;
}

const GATHER_MS = 1_000;

export class Operations implements Life {
  readonly #options: OperationsOptions;
  #underWay: UnderWay | undefined;
  /** Monotonic ms; Infinity = no reload was asked for. */
  #reloadAt = Infinity;
  readonly #awaitingReload: Awaiting<ReloadResult>[] = [];
  readonly #restarts: Restart[] = [];
  /** Pid → bytes. */
  readonly #bloated = new Map<number, number>();

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** Nothing to do: the reconcile loop starts what is due. */
  start(): void {}

  async stop(): Promise<void> {
    this.refuseAll();
    await this.#underWay?.ended;
  }

  get isReloading(): boolean {
    return this.#underWay?.isReload === true;
  }

  requestReload(): void {
    if (this.#reloadAt === Infinity) this.#reloadAt = this.#options.clock.now() + GATHER_MS;
    this.#options.onChange();
  }

  /** Asks for a reload; resolves to the result of the one that begins after this call. Rejects with StoppingError. */
  reload(): Promise<ReloadResult> {
    return new Promise((resolve, reject) => {
      if (this.#options.pool.stopping) throw new StoppingError();
      this.#awaitingReload.push({ resolve, reject });
      this.requestReload();
    });
  }

  /**
   * Gives the worker a fresh process in its turn. Rejects with ReplacementError: then the old one serves on; or with
   * StoppingError.
   */
  restart(slot: WorkerSlot): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#options.pool.stopping) throw new StoppingError();
      this.#restarts.push({ slot, resolve, reject });
      this.#options.onChange();
    });
  }

  /** The process uses more memory than it may. */
  requestReplacement(pid: number, memoryBytes: number): void {
    this.#bloated.set(pid, memoryBytes);
    this.#options.onChange();
  }

  /** Nothing that has not begun will. */
  refuseAll(): void {
    const awaiting = [...this.#awaitingReload.splice(0), ...this.#restarts.splice(0)];
    for (const { reject } of awaiting) reject(new StoppingError());
  }

  /** Until the next one can begin, in ms. */
  dueInMs(): number {
    return this.#underWay ? Infinity : this.#reloadAt - this.#options.clock.now();
  }

  startIfDue(): void {
    if (this.#underWay || this.#options.pool.stopping) return;
    if (this.dueInMs() <= 0) return this.#begin(this.#runReload(), { isReload: true });
    const replacement = this.#restartAskedFor() ?? this.#replaceBloated();
    if (replacement) this.#begin(replacement, { isReload: false });
  }

  #begin(work: Promise<void>, { isReload }: Pick<UnderWay, 'isReload'>): void {
    const ended = work.finally(() => {
      this.#underWay = undefined;
      this.#options.onChange();
    });
    this.#underWay = { isReload, ended };
    this.#options.onChange();
  }

  async #runReload(): Promise<void> {
    this.#reloadAt = Infinity;
    const awaiting = this.#awaitingReload.splice(0);
    const result = await this.#options.reload.run();
    for (const { resolve, reject } of awaiting) {
      if (!result.ok && this.#options.pool.stopping) reject(new StoppingError());
      else resolve(result);
    }
  }

  #restartAskedFor(): Promise<void> | undefined {
    const { pool, log } = this.#options;
    const wanted = this.#restarts.shift();
    if (!wanted) return undefined;
    log.info(`Replacing ${wanted.slot.current?.title ?? `worker ${wanted.slot.number}`}, as asked for`);
    return replaceWorker(pool, wanted.slot, pool.config).then(
      () => wanted.resolve(),
      (error: unknown) => {
        log.error(`The replacement failed: ${reasonOf(error)}`);
        wanted.reject(error);
      },
    );
  }

  #replaceBloated(): Promise<void> | undefined {
    const { pool, log } = this.#options;
    for (const [pid, bytes] of this.#bloated) {
      this.#bloated.delete(pid);
      const slot = pool.slots.find(({ current }) => current?.pid === pid && current.stage === 'active');
      if (!slot?.current) continue;
      const mebibytes = Math.round(bytes / 1024 / 1024);
      log.warn(`${slot.current.title} uses ${mebibytes} MiB, more than worker.max_memory allows; replacing it`);
      return replaceWorker(pool, slot, pool.config).then(
        () => undefined,
        (error: unknown) => log.error(`The replacement failed: ${reasonOf(error)}`),
      );
    }
    return undefined;
  }
}
