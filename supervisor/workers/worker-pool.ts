/**
 * The workers the supervisor keeps: the four steps of its reconcile loop, in this order.
 *
 *   reap      forget processes that exited; decide when, or whether, the slot gets a new one
 *   time out  SIGKILL what does not boot, beat or stop in time
 *   cull      drain slots above the wanted number
 *   spawn     fork for empty slots whose delay is over; activate what has booted
 *
 * No more boot at once than there are cores: together they would all be slow, and none ready before the last.
 *
 * Deaths before any worker was ever ready may mean that no start can succeed: a boot failure for a reason that a restart
 * cannot mend (configuration, certificates, unusable Redis) is `fatal` with exit code 78 at once, three crashes at boot of
 * one worker are `fatal` with exit code 1. Slowness never is. After the first ready worker neither is: old workers may still serve, so the
 * slot backs off and health says why.
 */
import type { Clock } from '../../src/shared/time/clock.js';
import type { Random } from '../../src/shared/time/random.js';
import type { Config } from '../../src/shared/config/config.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import { Changes } from './changes.js';
import type { ChildProcess } from './process/child-process.js';
import { Deaths } from './deaths.js';
import { whyNotAsMany } from './number-of-workers.js';
import { ReadinessLines } from './readiness-lines.js';
import { bootLimitMs } from './restart-policy.js';
import type { Fatality } from './worker-exit.js';
import { WorkerHandle } from './worker-handle.js';
import { slotIdentity, WorkerSlot } from './worker-slot.js';

interface WorkerPoolOptions {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Another text at each call, of letters and digits. */
  readonly nonce: () => string;
  readonly fork: () => ChildProcess;
  /** Most processes that boot at the same time. */
  readonly bootAtOnce: number;
  /** Something happened that the reconcile loop should look at. */
  readonly onChange: () => void;
  /** A process is gone: what it held must be recovered. */
  readonly onGone: (handle: WorkerHandle, slot: WorkerSlot) => void;
}

/** SIGKILL has done its work by then, if it can. */
const KILLED_MS = 5_000;

export class WorkerPool implements Life {
  readonly #options: WorkerPoolOptions;
  readonly #slots = new Map<number, WorkerSlot>();
  readonly #deaths: Deaths;
  readonly #lines: ReadinessLines;
  readonly #changes: Changes;
  #config: Config;
  #target: number;
  #hasWorked = false;
  #everReady = false;
  #stopping = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#deaths = new Deaths(options);
    this.#lines = new ReadinessLines(options.log);
    this.#changes = new Changes(options.clock);
    this.#config = options.config;
    this.#target = options.config.worker.count;
  }

  /** What (re)started workers get. */
  get config(): Config {
    return this.#config;
  }

  /** Wanted number of workers. */
  get target(): number {
    return this.#target;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** A worker has been at work, now or before. */
  get hasWorked(): boolean {
    return this.#hasWorked;
  }

  /** Why no start can succeed. */
  get fatal(): Fatality | undefined {
    return this.#deaths.fatal;
  }

  /** Of the whole program, once everything has stopped. */
  get exitCode(): number {
    return this.#deaths.exitCode;
  }

  /** By number. */
  get slots(): WorkerSlot[] {
    return [...this.#slots.values()].sort((a, b) => a.number - b.number);
  }

  get processes(): WorkerHandle[] {
    return this.slots.flatMap((slot) => slot.processes);
  }

  /** Forks the first set. */
  start(): void {
    if (!this.#stopping) this.#spawn();
  }

  /** Whoever still lives is killed; who is to end by itself was told to by `drainAll` before. */
  async stop(): Promise<void> {
    this.killAll();
    const left = this.processes;
    for (const handle of left) handle.killNow('outlived its supervisor');
    await Promise.all(left.map((handle) => handle.until(() => handle.stage === 'gone', KILLED_MS)));
    this.#reap();
  }

  /** `mayJudge` = our own loop turned in time, so a missing beat is the child's fault. */
  reconcile(mayJudge: boolean): void {
    this.#reap();
    if (mayJudge) this.#timeOut();
    this.#announce();
    if (!this.#stopping && !this.fatal) {
      this.#cull();
      this.#spawn();
    }
    this.#changes.tell();
  }

  /** Resolves to true as soon as `condition` holds after a round; false when we stop or `timeoutMs` pass first. */
  until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    return this.#changes.until(condition, () => this.#stopping, timeoutMs);
  }

  /** Until the next step is due, in ms. */
  dueInMs(): number {
    const now = this.#options.clock.now();
    const deadlines = this.processes.map((handle) => handle.dueInMs());
    if (this.#stopping || !this.#mayFork) return Math.min(...deadlines);
    const starts = this.slots.filter((slot) => !slot.current && !slot.incoming).map((slot) => slot.startAt - now);
    return Math.min(...deadlines, ...starts);
  }

  /** False for a slot that was given up, even if there is another of its number now. */
  isWanted(slot: WorkerSlot): boolean {
    return !this.#stopping && slot.number <= this.#target && this.#slots.get(slot.number) === slot;
  }

  /**
   * Workers that start from now on get this configuration. What `scale` asked for stays, unless WORKER_COUNT has changed
   * or the new ports leave no room for as many.
   */
  adopt(config: Config): void {
    const isAsBefore = config.worker.count === this.#config.worker.count;
    this.#config = config;
    this.scale(isAsBefore && whyNotAsMany(config, this.#target) === undefined ? this.#target : config.worker.count);
  }

  scale(workers: number): void {
    this.#target = workers;
    this.#options.onChange();
  }

  /** A process that boots beside the slot's current one; `promote` hands the slot over to it. */
  forkIncoming(slot: WorkerSlot, config: Config): WorkerHandle {
    // one that failed may not have ended yet
    if (slot.incoming) slot.leaving.add(slot.incoming);
    return (slot.incoming = this.#fork(slot, config));
  }

  /** The slot's current process shall claim no more, since another takes its place. */
  quiet(slot: WorkerSlot): void {
    slot.handOver(this.#options.clock.now());
  }

  /** The incoming process takes the slot and goes to work; the old one finishes what it has in flight. */
  promote(slot: WorkerSlot): void {
    this.retire(slot);
    slot.current = slot.incoming;
    slot.incoming = undefined;
    if (slot.current) this.#activate(slot.current);
  }

  /** The slot's current process drains and leaves the slot. */
  retire(slot: WorkerSlot): void {
    const old = slot.release();
    old?.drain(old.config.worker.shutdownTimeoutMs);
  }

  drainAll(): void {
    this.#stopping = true;
    for (const handle of this.processes) handle.drain(handle.config.worker.shutdownTimeoutMs);
  }

  killAll(): void {
    this.#stopping = true;
    for (const handle of this.processes) handle.kill();
  }

  #reap(): void {
    for (const slot of this.slots) {
      for (const handle of slot.processes) {
        if (handle.stage === 'gone') this.#bury(slot, handle);
      }
    }
  }

  #bury(slot: WorkerSlot, handle: WorkerHandle): void {
    const wasCurrent = slot.forget(handle) === 'current';
    this.#deaths.note(slot, handle, { wasCurrent, stopping: this.#stopping, everReady: this.#everReady });
    this.#options.onGone(handle, slot);
  }

  #timeOut(): void {
    for (const handle of this.processes) {
      const reason = handle.overdue();
      if (reason !== undefined) handle.killNow(reason);
    }
  }

  #cull(): void {
    for (const slot of this.slots) {
      if (slot.number <= this.#target) continue;
      slot.incoming?.kill();
      this.retire(slot);
      if (slot.processes.length === 0) this.#slots.delete(slot.number);
    }
  }

  #spawn(): void {
    for (let number = 1; number <= this.#target; number++) {
      const slot = this.#slots.get(number) ?? new WorkerSlot(number);
      this.#slots.set(number, slot);
      if (!slot.current && !slot.incoming && this.#mayFork && this.#options.clock.now() >= slot.startAt) {
        slot.current = this.#fork(slot, this.#config);
      }
      if (slot.current?.hasBooted) {
        slot.trouble = undefined;
        slot.bootCrashes = 0;
        this.#activate(slot.current);
      }
    }
  }

  /** Whoever waits gets his turn when one has booted, which is a change that we are told. */
  get #mayFork(): boolean {
    return this.processes.filter(({ stage }) => stage === 'booting').length < this.#options.bootAtOnce;
  }

  #activate(handle: WorkerHandle): void {
    handle.activate();
    this.#hasWorked ||= handle.stage === 'active';
  }

  #fork(slot: WorkerSlot, config: Config): WorkerHandle {
    const { fork, nonce, clock, onChange, log } = this.#options;
    const handle = new WorkerHandle({
      child: fork(),
      identity: { ...slotIdentity(config, slot.number), nonce: nonce() },
      config,
      clock,
      bootLimitMs: bootLimitMs(slot.slowBoots),
      onChange,
    });
    log.info(`${handle.title} is starting`);
    return handle;
  }

  #announce(): void {
    for (const { current } of this.slots) {
      if (current?.stage !== 'active') continue;
      this.#everReady ||= current.isConsuming;
      this.#lines.say(current);
    }
  }
}
