import { readFile } from 'node:fs/promises';

/** What the kernel charged to one process since its start. Linux only: elsewhere everything is NaN. */
interface Usage {
  /** User and system time of all its threads, in steps of 10 ms. */
  readonly cpuSeconds: number;
  /** Highest resident set. */
  readonly peakBytes: number;
  readonly residentBytes: number;
}

/** USER_HZ, fixed at 100 for what /proc shows on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
const UTIME = 13;
const STIME = 14;

export async function usageOf(pid: number): Promise<Usage> {
  if (process.platform !== 'linux') return { cpuSeconds: NaN, peakBytes: NaN, residentBytes: NaN };
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'latin1'),
    readFile(`/proc/${pid}/status`, 'latin1'),
  ]);
  // the name in brackets may hold spaces: fields are counted from its end, which is the second
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[UTIME - 2]) + Number(fields[STIME - 2]);
  return {
    cpuSeconds: ticks / TICKS_PER_SECOND,
    peakBytes: kilobytes(status, 'VmHWM') * 1_024,
    residentBytes: kilobytes(status, 'VmRSS') * 1_024,
  };
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
}
