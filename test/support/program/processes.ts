import { readdirSync, readFileSync } from 'node:fs';

/** Living processes (zombies left out) whose initial environment holds `mark` (NAME=value). Linux only: reads /proc. */
export function markedProcesses(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isAlive(pid) && environmentOf(pid).includes(mark));
}

/** False for a zombie: it only waits for its parent to look. */
export function isAlive(pid: number): boolean {
  return !['', 'Z', 'X'].includes(stateOf(pid));
}

/** The kernel's letter: R runs, S sleeps, T stopped, Z zombie, ...; empty when there is no such process. */
export function stateOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}

function environmentOf(pid: number): string[] {
  return read(`/proc/${pid}/environ`).split('\0');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // ended between our look at the folder and this one, or not ours to read
  }
}
