/**
 * Node puts the terminal back as it found it when it exits, and aborts (SIGABRT) when there is none any more:
 * https://github.com/nodejs/node/issues/51519. Whoever closes the terminal in which `start` runs would read of workers that
 * "ran out of memory", and a clean stop would not end with 0.
 *
 * It leaves a file descriptor alone that leads somewhere else by then, so those of a lost terminal are led to /dev/null.
 */
import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

const STANDARD = [0, 1, 2];

/** To be called once, early. On Windows there is nothing to outlive. */
export function outliveTerminal(): void {
  if (process.platform === 'win32') return;
  const terminals = STANDARD.filter((fd) => isatty(fd));
  if (terminals.length > 0) process.on('exit', () => terminals.forEach(leaveIfLost));
}

function leaveIfLost(fd: number): void {
  if (isatty(fd)) return;
  try {
    closeSync(fd);
    openSync('/dev/null', 'r+'); // takes the lowest number that is free, which is this one
  } catch {
    // it was closed before
  }
}
