/**
 * CPU and memory of the children as the system sees them, which also works for a child that hangs.
 *
 * pidusage keeps a history and an open file per pid: it is asked for all living pids at once, and a pid that died in
 * between is a key with an undefined value. `clear()` would leak those files, so it is never called. On macOS and Windows
 * each look starts a process, hence the longer interval there.
 */
import pidusage from 'pidusage';

import { reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock, Timer } from '../../src/shared/time/clock.js';

export interface Usage {
  /** 100 = one core. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
}

type Sampler = (
  pids: number[],
) => Promise<Record<string, { readonly cpu: number; readonly memory: number } | undefined>>;

interface ResourceMonitorOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** The processes to look at. */
  readonly pids: () => number[];
  /** Bytes a process may use; 0 = no limit. */
  readonly limitBytes: () => number;
  /** The process was over the limit in three samples running. Called at each further sample too. */
  readonly onBloated: (pid: number, memoryBytes: number) => void;
  /** Default: pidusage. */
  readonly sample?: Sampler;
}

const INTERVAL_MS = process.platform === 'linux' ? 5_000 : 30_000;
/** One sample may be a peak just before a garbage collection. */
const SAMPLES_OVER_LIMIT = 3;

export class ResourceMonitor implements Life {
  readonly #options: ResourceMonitorOptions;
  readonly #seen = new Map<number, Usage & { readonly timesOver: number }>();
  #noticed: ReadonlySet<number> = new Set();
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(options: ResourceMonitorOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#stopped || this.#timer) return;
    this.#timer = this.#options.clock.every(INTERVAL_MS, () => void this.look());
    void this.look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /** As last seen; undefined before the first look at it. */
  usage(pid: number): Usage | undefined {
    return this.#seen.get(pid);
  }

  /** Looks now if one of them was never looked at, so that something is known of a process as soon as it works. */
  notice(pids: readonly number[]): void {
    const isNew = pids.filter((pid) => !this.#noticed.has(pid));
    this.#noticed = new Set(pids);
    if (isNew.length > 0 && !this.#stopped) void (this.#looking ?? Promise.resolve()).then(() => this.look());
  }

  /** One round now, or the one under way; the interval calls it too. Never rejects. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
  }

  async #look(): Promise<void> {
    const { log, pids: living, sample = (pids) => pidusage(pids) } = this.#options;
    try {
      const pids = living();
      // at the start there is nobody yet; pidusage asks the system for its units the first time, which takes 100 ms
      const stats = await sample(pids.length > 0 ? pids : [process.pid]);
      for (const pid of this.#seen.keys()) if (!stats[pid]) this.#seen.delete(pid);
      for (const pid of pids) {
        const stat = stats[pid];
        if (stat) this.#note(pid, stat.memory, stat.cpu);
      }
    } catch (error) {
      log.debug(`CPU and memory of the workers could not be read: ${reasonOf(error)}`);
    }
  }

  #note(pid: number, memoryBytes: number, cpuPercent: number): void {
    const { limitBytes, onBloated } = this.#options;
    const limit = limitBytes();
    const timesOver = limit > 0 && memoryBytes > limit ? (this.#seen.get(pid)?.timesOver ?? 0) + 1 : 0;
    this.#seen.set(pid, { cpuPercent, memoryBytes, timesOver });
    if (timesOver >= SAMPLES_OVER_LIMIT) onBloated(pid, memoryBytes);
  }
}
