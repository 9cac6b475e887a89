import { readdirSync, readFileSync } from 'node:fs';

/** What the host has given a process so far, and whether it wants more. */
export interface Effort {
  /** CPU time of all its threads, ms, in steps of 10. */
  readonly cpuMs: number;
  /** Its main thread runs, or waits for a core. */
  readonly wantsCpu: boolean;
  /** Another thread of it does: its main thread may wait for that one to read a file. */
  readonly threadWantsCpu: boolean;
}

/** The kernel counts in hundredths of a second, whatever it works with itself. */
const TICK_MS = 10;

/** As /proc has it; undefined where there is none, or no such process. */
export function effortOf(pid: number): Effort | undefined {
  const fields = fieldsOf(`/proc/${pid}/stat`);
  const ticks = Number(fields?.[11]) + Number(fields?.[12]);
  if (!fields || !Number.isFinite(ticks)) return undefined;
  const wantsCpu = fields[0] === 'R';
  return { cpuMs: ticks * TICK_MS, wantsCpu, threadWantsCpu: !wantsCpu && hasRunnableThread(pid) };
}

/** The command's name may hold blanks and brackets; after it come state, 10 numbers, user time and system time. */
function fieldsOf(path: string): readonly string[] | undefined {
  try {
    const stat = readFileSync(path, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function hasRunnableThread(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => fieldsOf(`/proc/${pid}/task/${thread}/stat`)?.[0] === 'R');
  } catch {
    return false;
  }
}
