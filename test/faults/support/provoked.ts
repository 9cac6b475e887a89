import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Stage } from './stage.js';

/** What a signal makes a process of the program do, by a module that NODE_OPTIONS loads into it first. */
const PROVOKED = `
// the event loop stands still for a minute
process.on('SIGPROF', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000));
// 300 MB more
const held = [];
process.on('SIGWINCH', () => held.push(Buffer.alloc(300 << 20, 1)));
`;

export const BLOCK_EVENT_LOOP = 'SIGPROF';
export const TAKE_MEMORY = 'SIGWINCH';

/** Environment under which the signals above work. */
export function provocable(stage: Stage): Readonly<Record<string, string>> {
  const file = join(stage.folder, 'provoked.mjs');
  writeFileSync(file, PROVOKED);
  return { NODE_OPTIONS: `--import=${pathToFileURL(file).href}` };
}
