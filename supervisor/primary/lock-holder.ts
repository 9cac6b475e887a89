/**
 * Who has a name among the sockets without files (instance-lock.ts). Any user of the host may take any name there, and what
 * answers behind it may say any pid: so neither the answer nor the error of our own attempt is believed, but the kernel.
 *
 *   /proc/net/unix ──the inode of whoever listens──▶ /proc/<pid>/fd of each process of our user ──▶ its pid
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** A pid; `hidden` = a process of ours may have it, whose open files we may not see; `stranger` = none of ours has it. */
type LockHolder = number | 'hidden' | 'stranger';

/** @param name with its zero byte. */
export function lockHolder(name: string): LockHolder {
  const inode = inodeOf(name);
  let isHidden = inode === undefined;
  for (const pid of ownProcesses()) {
    const found = holds(pid, `socket:[${inode}]`);
    if (found === true) return pid;
    isHidden ||= found === undefined;
  }
  return isHidden ? 'hidden' : 'stranger';
}

/** Bound or listening, and not one end of a connection to whoever listens; Node before 22 fills names up with zero bytes. */
const UNCONNECTED = '01';

/** Undefined = it is not shown: whoever had the name has gone, or there is no such file. */
function inodeOf(name: string): string | undefined {
  const shown = name.replaceAll('\0', '@');
  for (const line of unless('', () => readFileSync('/proc/net/unix', 'latin1')).split('\n')) {
    const [, , , , , state, inode, path = ''] = line.split(/\s+/);
    if (state === UNCONNECTED && path.replace(/@+$/, '') === shown) return inode;
  }
  return undefined;
}

function ownProcesses(): number[] {
  const uid = process.geteuid?.();
  return unless([], () => readdirSync('/proc'))
    .filter((entry) => /^\d+$/.test(entry) && unless(-1, () => statSync(`/proc/${entry}`).uid) === uid)
    .map(Number);
}

/** Undefined = its open files are not shown to us. */
function holds(pid: number, file: string): boolean | undefined {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((entry) => unless('', () => readlinkSync(`${folder}/${entry}`)) === file);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? false : undefined;
  }
}

function unless<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
