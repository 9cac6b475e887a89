/**
 * The workers the supervisor keeps: the four steps of its reconcile loop, in this order.
 *
 *   reap      forget processes that exited; decide when, or whether, the slot gets a new one
 *   time out  SIGKILL what does not boot, beat or stop in time
 *   cull      drain slots above the wanted number
 *   spawn     fork for empty slots whose delay is over; activate what has booted
 *
 * Deaths before any worker was ever ready may mean that no start can succeed: a boot failure for a reason that a restart
 * cannot mend (configuration, certificates, unusable Redis) is `fatal` with exit code 78 at once, three crashes at boot of
 * one worker are `fatal` with exit code 1. After the first ready worker neither is: old workers may still serve, so the
 * slot backs off and health says why.
 */
import { randomBytes } from 'node:crypto';

import type { Clock } from '../../src/shared/time/clock.js';
import type { Config } from '../../src/shared/config/config.js';
import { EXIT_CONFIG } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';
import { crashesInARow, restartDelayMs } from './restart-policy.js';
import { exitInWords, failedForGood, isCrashLoopAtBoot } from './worker-exit.js';
import { WorkerHandle, type ChildProcess } from './worker-handle.js';
import { slotIdentity, WorkerSlot } from './worker-slot.js';

export interface WorkerPoolParams {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fork: () => ChildProcess;
  /** Something happened that the reconcile loop should look at. */
  readonly onChange: () => void;
  /** A process is gone: what it held must be recovered. */
  readonly onGone: (handle: WorkerHandle, slot: WorkerSlot) => void;
}

export interface Fatal {
  readonly exitCode: number;
  readonly reason: string;
}

export class WorkerPool {
  /** What (re)started workers get. */
  config: Config;
  everReady = false;
  fatal: Fatal | undefined;
  stopping = false;
  /** Active processes that did not stop in time and got SIGKILL during the stop. */
  forced = 0;

  readonly #params: WorkerPoolParams;
  #target: number;
  readonly #slots = new Map<number, WorkerSlot>();
  readonly #announced = new Map<WorkerHandle, string>();

  constructor(params: WorkerPoolParams) {
    this.#params = params;
    this.config = params.config;
    this.#target = params.config.worker.count;
  }

  /** By number. */
  get slots(): WorkerSlot[] {
    return [...this.#slots.values()].sort((a, b) => a.number - b.number);
  }

  get processes(): WorkerHandle[] {
    return this.slots.flatMap((slot) => slot.processes);
  }

  /** `mayJudge` = our own loop turned in time, so a missing beat is the child's fault. */
  reconcile(mayJudge: boolean): void {
    this.#reap();
    if (mayJudge) this.#timeOut();
    this.#announce();
    if (this.stopping || this.fatal) return;
    this.#cull();
    this.#spawn();
  }

  /** Until the next step is due, in ms. */
  dueInMs(): number {
    const now = this.#params.clock.now();
    const deadlines = this.processes.map((handle) => handle.dueInMs());
    const starts = this.slots.filter((slot) => !slot.current && !slot.incoming).map((slot) => slot.startAt - now);
    return Math.min(...deadlines, ...(this.stopping ? [] : starts));
  }

  /** False for a slot that was given up, even if there is another of its number now. */
  isWanted(slot: WorkerSlot): boolean {
    return !this.stopping && slot.number <= this.#target && this.#slots.get(slot.number) === slot;
  }

  /** Wanted number of workers. */
  get target(): number {
    return this.#target;
  }

  scale(workers: number): void {
    this.#target = workers;
    this.#params.onChange();
  }

  /** A process that boots beside the slot's current one; `promote` hands the slot over to it. */
  forkIncoming(slot: WorkerSlot, config: Config): WorkerHandle {
    // one that failed may not have ended yet
    if (slot.incoming) slot.leaving.add(slot.incoming);
    return (slot.incoming = this.#fork(slot, config));
  }

  /** The incoming process takes the slot and goes to work; the old one finishes what it has in flight. */
  promote(slot: WorkerSlot): void {
    this.retire(slot);
    slot.current = slot.incoming;
    slot.incoming = undefined;
    slot.current?.activate();
  }

  /** The slot's current process drains and leaves the slot. */
  retire(slot: WorkerSlot): void {
    const old = slot.release();
    old?.drain(old.config.worker.shutdownTimeoutMs);
  }

  drainAll(): void {
    this.stopping = true;
    for (const handle of this.processes) handle.drain(handle.config.worker.shutdownTimeoutMs);
  }

  killAll(): void {
    this.stopping = true;
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
    const asked = handle.wasAskedToEnd;
    const place = slot.forget(handle);
    this.#announced.delete(handle);
    if (place === 'current' && !asked) this.#crashed(slot, handle);
    else this.#sayEnded(handle, asked);
    this.#params.onGone(handle, slot);
  }

  #sayEnded(handle: WorkerHandle, asked: boolean): void {
    const clean = asked && (handle.exit?.code === 0 || handle.activatedAt === undefined);
    if (clean) this.#params.log.info(`${handle.title} has stopped`);
    else this.#params.log.warn(`${handle.title} ${exitInWords(handle)}`);
    if (this.stopping && handle.killedBecause !== undefined && handle.activatedAt !== undefined) this.forced += 1;
  }

  #crashed(slot: WorkerSlot, handle: WorkerHandle): void {
    const { clock, log, random } = this.#params;
    const words = exitInWords(handle);
    slot.trouble = words;
    slot.restarts += 1;
    if (handle.hung) slot.hangs += 1;
    slot.bootCrashes = handle.hasBooted ? 0 : slot.bootCrashes + 1;
    if (!this.everReady && !this.stopping) this.fatal ??= fatality(slot, handle);
    if (this.fatal || this.stopping) return log.error(`${handle.title} ${words}`);

    slot.crashesInARow = crashesInARow(slot.crashesInARow, clock.now() - (handle.activatedAt ?? clock.now()));
    const delay = restartDelayMs(slot.crashesInARow, random());
    slot.startAt = clock.now() + delay;
    log.error(`${handle.title} ${words}; starting it again in ${delay} ms`);
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
      if (!slot.current && !slot.incoming && this.#params.clock.now() >= slot.startAt) {
        slot.current = this.#fork(slot, this.config);
      }
      if (slot.current?.hasBooted) {
        slot.trouble = undefined;
        slot.bootCrashes = 0;
        slot.current.activate();
      }
    }
  }

  #fork(slot: WorkerSlot, config: Config): WorkerHandle {
    const { fork, clock, onChange, log } = this.#params;
    const handle = new WorkerHandle({
      child: fork(),
      identity: { ...slotIdentity(config, slot.number), nonce: randomBytes(6).toString('hex') },
      config,
      clock,
      onChange,
    });
    log.info(`${handle.title} is starting`);
    return handle;
  }

  /** One line when a worker becomes ready, and one when it stops being so. */
  #announce(): void {
    for (const { current } of this.slots) {
      if (current?.stage !== 'active' || !current.beat) continue;
      this.everReady ||= current.isConsuming;
      const { state, reasons } = current.beat;
      if (this.#announced.get(current) === state || (state !== 'ready' && state !== 'degraded')) continue;
      this.#announced.set(current, state);
      if (state === 'ready') this.#params.log.info(`${current.title} is ready`);
      else this.#params.log.warn(`${current.title} is degraded: ${reasons.join('; ') || 'it gave no reason'}`);
    }
  }
}

function fatality(slot: WorkerSlot, handle: WorkerHandle): Fatal | undefined {
  if (failedForGood(handle)) return { exitCode: EXIT_CONFIG, reason: `${handle.workerId} ${exitInWords(handle)}` };
  if (!isCrashLoopAtBoot(slot.bootCrashes)) return undefined;
  return {
    exitCode: 1,
    reason: `${handle.workerId} died ${slot.bootCrashes} times before it had started: ${exitInWords(handle)}`,
  };
}
