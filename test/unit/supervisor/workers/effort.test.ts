import { spawn, type ChildProcess } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { effortOf } from '../../../../supervisor/workers/effort.js';
import { waitFor } from '../../../support/wait-for.js';

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

function run(script: string): number {
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  children.push(child);
  return child.pid!;
}

test.runIf(process.platform === 'linux')('which thread of a process wants the CPU is seen', async () => {
  const thread = run(`new (require('node:worker_threads').Worker)('for (;;);', { eval: true })`);
  const main = run('for (;;);');
  const nobody = run('setInterval(() => {}, 1e6)');
  await waitFor(() => effortOf(main)?.wantsCpu && effortOf(thread)?.threadWantsCpu, { what: 'both to turn' });
  await waitFor(() => effortOf(nobody)?.wantsCpu === false && !effortOf(nobody)?.threadWantsCpu, {
    what: 'the third to rest',
  });
  expect(effortOf(main)?.threadWantsCpu).toBe(false);
  expect(effortOf(2 ** 22 + 1)).toBeUndefined();
});
