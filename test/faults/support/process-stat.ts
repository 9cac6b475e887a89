import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/** CPU seconds that the process has used; 0 when it is gone. */
function cpuSeconds(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

export function residentBytes(pid: number): number {
  return Number(statOf(pid)[21] ?? 0) * PAGE_BYTES;
}

/** Share of one core that the processes use during `work`. */
export async function cpuShareDuring(pids: readonly number[], work: () => Promise<unknown>): Promise<number> {
  const total = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = total();
  const begun = performance.now();
  await work();
  return (total() - before) / ((performance.now() - begun) / 1_000);
}

/** What follows the command's name, which may hold blanks and brackets. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
