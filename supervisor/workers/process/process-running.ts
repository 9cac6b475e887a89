import { readFileSync } from 'node:fs';

/**
 * Whether the process can still do anything. EPERM means that somebody else's process has the number: it runs.
 *
 * A zombie does not: it answers signal 0 until its parent looks, which for orphans in a container without an init process
 * is never.
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
  return !isZombie(pid);
}

/** False where there is no /proc. The state follows the command's name, which may hold blanks and brackets. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2) === 'Z';
  } catch {
    return false;
  }
}
