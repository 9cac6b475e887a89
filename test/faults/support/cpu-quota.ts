import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { waitFor } from '../../support/wait-for.js';

const NAME = 'message-broker-worker-row-';
const PERIOD_US = 100_000;
/** Where the two versions of control groups are found, what holds the quota, how it is written, and how it is lifted. */
const KINDS = [
  ['/sys/fs/cgroup/cpu', 'cpu.cfs_quota_us', (quotaUs: number) => String(quotaUs), '-1'],
  ['/sys/fs/cgroup', 'cpu.max', (quotaUs: number) => `${quotaUs} ${PERIOD_US}`, 'max'],
] as const;

interface CpuQuota {
  /** The process, and those that it starts from now on, share it. */
  hold(pid: number): void;
  /** For how many periods somebody had to wait. */
  throttled(): number;
  /** They have what the host has, so that they end soon. */
  lift(): void;
  /** Waits until the kernel has done with the last of them. */
  remove(): Promise<unknown>;
}

/** A share of one core for a tree of processes; undefined where we may not set one. Linux, as root. */
export function makeCpuQuota(shareOfACore: number): CpuQuota | undefined {
  for (const [root, file, text, none] of KINDS) {
    const folder = `${root}/${NAME}${process.pid}`;
    try {
      removeFormer(root);
      mkdirSync(folder);
      writeFileSync(`${folder}/${file}`, text(shareOfACore * PERIOD_US));
      return {
        hold: (pid) => writeFileSync(`${folder}/cgroup.procs`, String(pid)),
        throttled: () => Number(/nr_throttled (\d+)/.exec(readFileSync(`${folder}/cpu.stat`, 'utf8'))?.[1]),
        lift: () => writeFileSync(`${folder}/${file}`, none),
        remove: () => waitFor(() => removeIfEmpty(folder), { what: 'an empty control group' }),
      };
    } catch {
      removeIfEmpty(folder);
    }
  }
  return undefined;
}

/** Of rows that were killed. */
function removeFormer(root: string): void {
  for (const name of readdirSync(root)) {
    if (name.startsWith(NAME) && !existsSync(`/proc/${name.slice(NAME.length)}`)) removeIfEmpty(`${root}/${name}`);
  }
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
