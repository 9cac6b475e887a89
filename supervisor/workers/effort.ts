import { readFileSync } from 'node:fs';

/** What the host has given a process so far, and whether it wants more. */
export interface Effort {
  /** CPU time of all its threads, ms, in steps of 10. */
  readonly cpuMs: number;
  /** Its main thread runs, or waits for a core. */
  readonly wantsCpu: boolean;
}

/** The kernel counts in hundredths of a second, whatever it works with itself. */
const TICK_MS = 10;

/** As /proc has it; undefined where there is none, or no such process. */
export function effortOf(pid: number): Effort | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // the command's name may hold blanks and brackets; after it come state, 10 numbers, user time and system time
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? { cpuMs: ticks * TICK_MS, wantsCpu: fields[0] === 'R' } : undefined;
}
