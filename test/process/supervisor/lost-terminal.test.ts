/** The terminal in which `start` runs is closed. `script` of util-linux lends us one. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import type { StatusDocument } from '../../../supervisor/status/status-document.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { startOperated } from '../fixtures/operated.js';
import { CLI, hasTerminal, openTerminal } from '../fixtures/terminal.js';

const redis = useRedis();
const main = useMainServer();
useProgram();

test.skipIf(!hasTerminal)('nobody is said to have run out of memory, and a stop ends with 0', async () => {
  // its folders and ports are taken over
  const operated = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url });
  await operated.untilReady();
  await operated.command('stop');
  const { cwd } = operated.program;
  const [codeFile, log] = [join(cwd, 'exit-code'), join(cwd, 'logs', 'worker.log')];
  // the shell outlives the terminal, to tell the exit code
  const line = `trap '' HUP; '${process.execPath}' '${CLI}' start; echo $? > '${codeFile}'`;
  const terminal = openTerminal(line, { cwd, home: cwd, env: operated.env });
  terminal.stdout.resume();
  await operated.untilReady();
  const before = (await operated.ask('/status')).body as unknown as StatusDocument;
  onTestFinished(() => kill(before.supervisor.pid));
  terminal.kill('SIGKILL');
  // a shell at its prompt passes the hang-up on; to us it is a reload
  process.kill(before.supervisor.pid, 'SIGHUP');
  await waitFor(() => readFileSync(log, 'utf8').includes('Reload finished'), { what: 'the reload' });
  const former = before.workers.map(({ pid }) => pid);
  await waitFor(() => former.every((pid) => !existsSync(`/proc/${pid}`)), { what: 'the old worker to end' });
  await operated.command('stop');
  await waitFor(() => existsSync(codeFile), { what: 'the exit code' });
  expect(readFileSync(codeFile, 'utf8')).toBe('0\n');
  expect(readFileSync(log, 'utf8').match(/.*(SIGABRT|out of .*memory).*/g)).toBeNull();
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended, as it should
  }
}
