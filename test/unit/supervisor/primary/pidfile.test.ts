import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { RuntimeDirError } from '../../../../supervisor/admin/runtime-folder.js';
import { Pidfile } from '../../../../supervisor/primary/pidfile.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'pidfile-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pidfile = (): Pidfile => new Pidfile({ port: 9099, runtimeDir: join(folder, 'run') });

async function held(): Promise<Pidfile> {
  const made = pidfile();
  await made.start();
  return made;
}

test('holds our pid in a folder of our own, and goes when we go', async () => {
  const made = await held();
  expect(made.path).toBe(join(folder, 'run', 'supervisor-9099.pid'));
  expect(readFileSync(made.path, 'utf8')).toBe(`${process.pid}\n`);
  expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o700);
  made.release();
  made.release();
  expect(() => statSync(made.path)).toThrow();
});

test.each([
  ['the pid of nobody', `${2 ** 22 + 1}\n`],
  ['the pid of another program', '1\n'],
  ['our own pid, from an earlier life', `${process.pid}\n`],
  ['nothing', ''],
  ['nonsense', 'x\n'],
])('a file with %s is stale', async (_what, content) => {
  (await held()).release();
  writeFileSync(pidfile().path, content);
  expect(readFileSync((await held()).path, 'utf8')).toBe(`${process.pid}\n`);
});

test('one that was never held leaves the file alone', async () => {
  const holder = await held();
  await pidfile().stop();
  expect(readFileSync(holder.path, 'utf8')).toBe(`${process.pid}\n`);
});

test('a file that became another one’s stays when we go', async () => {
  const made = await held();
  writeFileSync(made.path, '1\n');
  made.release();
  expect(readFileSync(made.path, 'utf8')).toBe('1\n');
});

test('a folder that cannot be made is said to be SUPERVISOR_RUNTIME_DIR', async () => {
  writeFileSync(join(folder, 'run'), '');
  await expect(pidfile().start()).rejects.toThrow(RuntimeDirError);
  await expect(pidfile().start()).rejects.toThrow(/^SUPERVISOR_RUNTIME_DIR .* cannot be used/);
});
