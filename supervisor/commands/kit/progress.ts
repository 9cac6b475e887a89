import { systemClock } from '../../../src/shared/time/clock.js';
import type { Streams } from './command.js';

interface Progress {
  update(text: string): void;
  /** What follows starts on a line of its own. */
  end(): void;
}

const REDRAW_MS = 100;
const LINE_MS = 5_000;

/** How far long work is, on stderr: one line drawn over and over on a terminal, elsewhere a line every 5 s. */
export function createProgress({ stderr }: Pick<Streams, 'stderr'>): Progress {
  const interval = stderr.isTTY ? REDRAW_MS : LINE_MS;
  let shownAt = stderr.isTTY ? -Infinity : systemClock.now();
  let drawn = false;
  return {
    update(text) {
      if (systemClock.now() - shownAt < interval) return;
      shownAt = systemClock.now();
      drawn = stderr.isTTY;
      stderr.write(stderr.isTTY ? `\r${text.slice(0, stderr.columns - 1)}\x1b[K` : `${text}\n`);
    },
    end() {
      if (drawn) stderr.write('\r\x1b[K');
      drawn = false;
    },
  };
}
