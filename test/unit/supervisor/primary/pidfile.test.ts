import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { acquirePidfile, pidfilePath, RuntimeDirError } from '../../../../supervisor/primary/pidfile.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'pidfile-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settings = () => ({ host: '127.0.0.1', port: 9099, runtimeDir: join(folder, 'run'), adminToken: '' });

test('holds our pid in a folder of our own, and goes when we go', () => {
  const pidfile = acquirePidfile(settings());
  expect(readFileSync(pidfile.path, 'utf8')).toBe(`${process.pid}\n`);
  expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o700);
  pidfile.release();
  pidfile.release();
  expect(() => statSync(pidfile.path)).toThrow();
});

test.each([
  ['the pid of nobody', `${2 ** 22 + 1}\n`],
  ['the pid of another program', '1\n'],
  ['nothing', ''],
  ['nonsense', 'x\n'],
])('a file with %s is stale', (_what, content) => {
  acquirePidfile(settings()).release();
  writeFileSync(pidfilePath(settings()), content);
  expect(readFileSync(acquirePidfile(settings()).path, 'utf8')).toBe(`${process.pid}\n`);
});

test('a file that became another one’s stays when we go', () => {
  const pidfile = acquirePidfile(settings());
  writeFileSync(pidfile.path, '1\n');
  pidfile.release();
  expect(readFileSync(pidfile.path, 'utf8')).toBe('1\n');
});

test('a folder that cannot be made is said to be SUPERVISOR_RUNTIME_DIR', () => {
  writeFileSync(join(folder, 'run'), '');
  expect(() => acquirePidfile(settings())).toThrow(RuntimeDirError);
  expect(() => acquirePidfile(settings())).toThrow(/^SUPERVISOR_RUNTIME_DIR .* cannot be used/);
});
