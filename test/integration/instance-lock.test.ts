import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { InstanceLock } from '../../supervisor/primary/instance-lock.js';
import { waitFor } from '../support/wait-for.js';

const PORT = 9099;
const STRANGERS = 40;
const folder = mkdtempSync(join(tmpdir(), 'instance-lock-'));
const lock = new InstanceLock();
/** As the kernel shows them to every user: their zero bytes, also those behind them, as "@". */
const namesOfLocks = (): string[] =>
  [...readFileSync('/proc/net/unix', 'utf8').matchAll(/@(message-broker-worker\/[^\s@]+)/g)].map(
    ([, name]) => `\0${name}`,
  );
const openFiles = (): number => readdirSync('/proc/self/fd').length;

afterEach(() => {
  lock.release();
  rmSync(folder, { recursive: true, force: true });
});

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
