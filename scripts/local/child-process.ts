/** Ends of child processes: awaited, and never later than our own. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const PATIENCE_MS = 5_000;
const ours = new Set<ChildProcess>();

/** One that could not be started has ended, too. */
export function hasEnded({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null || pid === undefined;
}

/** Resolves when the child has ended, by the signal or otherwise. */
export async function endWith(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  await endBy(child, () => child.kill(signal));
}

/** For a child that exits by itself when its channel closes, and so may write what it still has to. */
export async function endByDisconnect(child: ChildProcess): Promise<void> {
  await endBy(child, () => {
    if (child.connected) child.disconnect();
  });
}

/** SIGTERM, and SIGKILL after `patienceMs`. */
export async function terminate(child: ChildProcess, patienceMs = PATIENCE_MS): Promise<void> {
  const killer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await endWith(child, 'SIGTERM');
  clearTimeout(killer);
}

/** The first thing that a forked child tells. Rejects when it ends before. */
export async function firstMessage<Message>(child: ChildProcess, name: string): Promise<Message> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${name} ended at its start.`)));
  ended.catch(() => undefined); // where it loses the race, its end is asked for later
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [Message];
  return message;
}

/** It must not outlive this process, however this one exits. One listener for all of them. */
export function endWithUs(child: ChildProcess): void {
  if (ours.size === 0) process.once('exit', killAll);
  ours.add(child);
  child.once('exit', () => {
    ours.delete(child);
    if (ours.size === 0) process.off('exit', killAll);
  });
}

function killAll(): void {
  for (const child of ours) child.kill('SIGKILL');
}

async function endBy(child: ChildProcess, end: () => void): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  end();
  await ended;
}
