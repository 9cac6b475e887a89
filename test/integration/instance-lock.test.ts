import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { InstanceLock } from '../../supervisor/primary/instance-lock.js';
import { waitFor } from '../support/wait-for.js';

const PORT = 9099;
const STRANGERS = 40;
const folder = mkdtempSync(join(tmpdir(), 'instance-lock-'));
const lock = new InstanceLock();
/** Of those that listen, as the kernel shows them to every user: their zero bytes, also those behind them, as "@". */
const namesOfLocks = (): string[] =>
  [...readFileSync('/proc/net/unix', 'utf8').matchAll(/ 00010000 .*@(message-broker-worker\/[^\s@]+)/g)].map(
    ([, name]) => `\0${name}`,
  );
const openFiles = (): number => readdirSync('/proc/self/fd').length;

afterEach(() => lock.release());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(!InstanceLock.isPossible)('strangers at the lock, who talk and go, leave no open file behind', async () => {
  const others = new Set(namesOfLocks());
  expect(await lock.take(folder, PORT)).toBeUndefined();
  const [name = ''] = namesOfLocks().filter((each) => !others.has(each));
  const before = openFiles();
  for (let count = 0; count < STRANGERS; count += 1) {
    const stranger = connect(name);
    stranger.on('error', () => undefined).end('hello');
    await once(stranger.resume(), 'close');
  }
  await waitFor(() => openFiles() <= before, { what: 'their sockets to be closed' });
  expect(await new InstanceLock().take(folder, PORT)).toBe(process.pid);
});

/** Whoever may start programs as another user. */
const isRoot = InstanceLock.isPossible && process.getuid?.() === 0;
const NOBODY = 65_534;
const SQUATTER = `
  const server = require('node:net').createServer((socket) => socket.end(process.argv[2] + '\\n'));
  server.listen('\\0' + process.argv[1], () => console.log('taken'));`;

/** Takes a name and poses as our supervisor: says our pid to whoever asks. */
async function squat(name: string, uid: number): Promise<() => Promise<unknown>> {
  const args = ['-e', SQUATTER, name, String(process.pid)];
  const squatter = spawn(process.execPath, args, { uid, gid: uid, cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
  await once(squatter.stdout, 'data');
  return async () => {
    squatter.kill('SIGKILL');
    await once(squatter, 'exit');
  };
}

async function nameTaken(): Promise<string> {
  const others = new Set(namesOfLocks());
  await lock.take(folder, PORT);
  const [name = ''] = namesOfLocks().filter((each) => !others.has(each));
  lock.release();
  return name.slice(1);
}

test.runIf(isRoot)('the program of another user that has the name keeps nobody from starting', async () => {
  const leave = await squat(await nameTaken(), NOBODY);
  try {
    expect(await lock.take(folder, PORT)).toBeUndefined();
  } finally {
    await leave();
  }
});

test.skipIf(!InstanceLock.isPossible)('whoever has it is known by the kernel, not by what it says', async () => {
  const leave = await squat(await nameTaken(), process.getuid?.() ?? 0);
  try {
    const holder = await lock.take(folder, PORT);
    expect(holder).toBeTypeOf('number');
    expect(holder).not.toBe(process.pid);
  } finally {
    await leave();
  }
});
