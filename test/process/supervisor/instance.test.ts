/** How a running supervisor is known, whatever becomes of its files. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { runCommand } from '../fixtures/operated.js';
import { useSupervised, type Supervised } from '../fixtures/supervised.js';

const CLI = fileURLToPath(new URL('../../../dist/supervisor/cli.js', import.meta.url));
const redis = useRedis();
const supervise = useSupervised(() => redis.port);
const others: (() => void)[] = [];
afterEach(() => others.splice(0).forEach((end) => end()));

describe('when files of a running supervisor', () => {
  const spoil: readonly (readonly [what: string, how: (supervised: Supervised) => void])[] = [
    ['are deleted: the pidfile', ({ pidfile }) => rmSync(pidfile)],
    ['are deleted: the socket', ({ socketPath }) => rmSync(socketPath)],
    ['are deleted: the whole folder', ({ directory }) => rmSync(join(directory, 'run'), { recursive: true })],
    [
      'are moved with their folder',
      ({ directory }) => renameSync(join(directory, 'run'), join(directory, 'elsewhere')),
    ],
    ['are replaced: another pid', ({ pidfile }) => writeFileSync(pidfile, '1\n')],
    [
      'are replaced: links to what is not ours',
      ({ directory, pidfile, socketPath }) => {
        for (const [name, path] of Object.entries({ pid: pidfile, sock: socketPath })) {
          writeFileSync(join(directory, `foreign.${name}`), 'keep me');
          rmSync(path);
          symlinkSync(join(directory, `foreign.${name}`), path);
        }
      },
    ],
    [
      'are replaced: a folder in place of the socket, which is said',
      ({ socketPath }) => {
        rmSync(socketPath);
        mkdirSync(socketPath);
      },
    ],
  ];

  test.each(spoil)('%s, they are made again, and there is never a second one', async (what, how) => {
    const supervised = await supervise();
    await supervised.untilReady(1);
    const { pidfile, socketPath, program, directory } = supervised;
    how(supervised);
    const second = supervised.startAgain();
    expect((await second.waitForExit()).code).toBe(1);
    expect(second.lines.map(({ text }) => text).join()).toContain(`running already (pid ${program.pid},`);
    if (what.includes('which is said')) {
      await program.waitForLine(/ERROR.*The control socket .* cannot be opened/);
      rmSync(socketPath, { recursive: true });
    }
    await waitFor(() => isPidfile(pidfile, program.pid), { what: 'the pidfile' });
    await waitFor(async () => (await askStatus(supervised)) === 0, { what: 'an answer on the socket' });
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    if (what.includes('links')) {
      for (const name of ['pid', 'sock'])
        expect(readFileSync(join(directory, `foreign.${name}`), 'utf8')).toBe('keep me');
    }
    program.signal('SIGTERM');
    expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
  });
});

test('a supervisor that is stopped by the system and does not answer is running all the same', async () => {
  const { untilReady, program, startAgain } = await supervise();
  await untilReady(1);
  program.signal('SIGSTOP');
  const second = startAgain();
  expect((await second.waitForExit()).code).toBe(1);
  expect(second.lines.map(({ text }) => text).join()).toContain(`running already (pid ${program.pid},`);
  program.signal('SIGCONT');
  await untilReady(1);
});

test('a pidfile whose number now belongs to a program that looks like ours is stale', async () => {
  const { untilReady, program, startAgain, pidfile } = await supervise();
  await untilReady(1);
  program.signal('SIGTERM');
  await program.waitForExit();
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'cli.js', 'message-broker-worker']);
  others.push(() => other.kill('SIGKILL'));
  await once(other, 'spawn');
  writeFileSync(pidfile, `${other.pid}\n`);
  const next = startAgain();
  await untilReady(1);
  expect(readFileSync(pidfile, 'utf8')).toBe(`${next.pid}\n`);
});

test('in the cluster of somebody else it says what to do, and does not try', async () => {
  const code = `const c = require('node:cluster'); c.setupPrimary({ exec: ${JSON.stringify(CLI)}, args: ['start'], execArgv: [] });
    c.fork().on('exit', (code) => process.exit(code));`;
  const outer = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/', env: {} });
  let said = '';
  outer.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [exitCode] = (await once(outer, 'close')) as [number];
  expect([exitCode, said]).toEqual([78, expect.stringMatching(/^ERROR: .*With pm2, start it in fork mode/)]);
});

function isPidfile(path: string, pid: number): boolean {
  try {
    return lstatSync(path).isFile() && readFileSync(path, 'utf8') === `${pid}\n`;
  } catch {
    return false;
  }
}

async function askStatus({ socketPath, directory }: Supervised): Promise<number | null> {
  return (await runCommand(['status', '--socket', socketPath], { env: {}, cwd: directory })).code;
}
