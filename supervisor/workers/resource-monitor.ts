/**
 * CPU and memory of the children as the system sees them, which also works for a child that hangs.
 *
 * pidusage keeps a history and an open file per pid: it is asked for all living pids at once, and a pid that died in
 * between is a key with an undefined value. `clear()` would leak those files, so it is never called. On macOS and Windows
 * each look starts a process, hence the longer interval there.
 */
import pidusage from 'pidusage';

import { reasonOf } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';

export interface Usage {
  /** 100 = one core. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
}

export type Sampler = (
  pids: number[],
) => Promise<Record<string, { readonly cpu: number; readonly memory: number } | undefined>>;

export interface ResourceMonitorParams {
  readonly log: Log;
  /** The processes to look at. */
  readonly pids: () => number[];
  /** Bytes a process may use; 0 = no limit. */
  readonly limitBytes: () => number;
  /** The process was over the limit in three samples running. Called at each further sample too. */
  readonly onBloated: (pid: number, memoryBytes: number) => void;
  readonly sample?: Sampler;
  readonly intervalMs?: number;
}

export interface ResourceMonitor {
  start(): void;
  stop(): void;
  usage(pid: number): Usage | undefined;
  /** One round now; the interval calls it too. */
  look(): Promise<void>;
}

const INTERVAL_MS = process.platform === 'linux' ? 5_000 : 30_000;
/** One sample may be a peak just before a garbage collection. */
const SAMPLES_OVER_LIMIT = 3;

export function createResourceMonitor(params: ResourceMonitorParams): ResourceMonitor {
  const { log, sample = (pids) => pidusage(pids), intervalMs = INTERVAL_MS } = params;
  const seen = new Map<number, Usage & { readonly timesOver: number }>();
  let timer: NodeJS.Timeout | undefined;
  let looking = false;

  function note(pid: number, memoryBytes: number, cpuPercent: number): void {
    const limit = params.limitBytes();
    const timesOver = limit > 0 && memoryBytes > limit ? (seen.get(pid)?.timesOver ?? 0) + 1 : 0;
    seen.set(pid, { cpuPercent, memoryBytes, timesOver });
    if (timesOver >= SAMPLES_OVER_LIMIT) params.onBloated(pid, memoryBytes);
  }

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      const pids = params.pids();
      const stats = pids.length > 0 ? await sample(pids) : {};
      for (const pid of seen.keys()) if (!stats[pid]) seen.delete(pid);
      for (const pid of pids) {
        const stat = stats[pid];
        if (stat) note(pid, stat.memory, stat.cpu);
      }
    } catch (error) {
      log.debug(`CPU and memory of the workers could not be read: ${reasonOf(error)}`);
    } finally {
      looking = false;
    }
  }

  return {
    start: () => void (timer ??= setInterval(() => void look(), intervalMs)),
    stop: () => void clearInterval(timer),
    usage: (pid) => seen.get(pid),
    look,
  };
}
