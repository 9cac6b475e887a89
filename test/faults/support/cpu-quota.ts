import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { waitFor } from '../../support/wait-for.js';

const PERIOD_US = 100_000;
/** Where the two versions of control groups are found, what holds the quota, and how it is written. */
const KINDS = [
  ['/sys/fs/cgroup/cpu', 'cpu.cfs_quota_us', (quotaUs: number) => String(quotaUs)],
  ['/sys/fs/cgroup', 'cpu.max', (quotaUs: number) => `${quotaUs} ${PERIOD_US}`],
] as const;

interface CpuQuota {
  /** The process, and those that it starts from now on, share it. */
  hold(pid: number): void;
  /** For how many periods somebody had to wait. */
  throttled(): number;
  /** Waits until the kernel has done with the last of them. */
  remove(): Promise<unknown>;
}

/** A share of one core for a tree of processes; undefined where we may not set one. Linux, as root. */
export function makeCpuQuota(shareOfACore: number): CpuQuota | undefined {
  for (const [root, file, text] of KINDS) {
    const folder = `${root}/message-broker-worker-row-${process.pid}`;
    try {
      mkdirSync(folder);
      writeFileSync(`${folder}/${file}`, text(shareOfACore * PERIOD_US));
      return {
        hold: (pid) => writeFileSync(`${folder}/cgroup.procs`, String(pid)),
        throttled: () => Number(/nr_throttled (\d+)/.exec(readFileSync(`${folder}/cpu.stat`, 'utf8'))?.[1]),
        remove: () => waitFor(() => removeIfEmpty(folder), { what: 'an empty control group' }),
      };
    } catch {
      removeIfEmpty(folder);
    }
  }
  return undefined;
}

/** Says whether it is gone. */
function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
  } catch {
    return !existsSync(folder);
  }
  return true;
}
