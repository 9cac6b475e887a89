import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createControlClient } from '../../../../supervisor/admin/client.js';
import { checkTrusted, makePrivate, RuntimeDirError } from '../../../../supervisor/admin/runtime-folder.js';

const isRoot = process.getuid?.() === 0;
const SOMEBODY = 12_345;

let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'runtime-'));
  folder = join(base, 'run');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const both = [
  ['the supervisor', makePrivate],
  ['those who ask', checkTrusted],
] as const;

describe.each(both)('%s', (_who, look) => {
  test('refuses a link, and leaves what it leads to as it is', () => {
    mkdirSync(join(base, 'other'), { mode: 0o755 });
    symlinkSync(join(base, 'other'), folder);
    expect(() => look(folder)).toThrow(/^SUPERVISOR_RUNTIME_DIR .*run is a link/);
    expect(statSync(join(base, 'other')).mode & 0o777).toBe(0o755);
  });

  test.each([0o777, 0o770, 0o1777])('refuses a folder that others may write (%o)', (mode) => {
    mkdirSync(folder);
    chmodSync(folder, mode);
    expect(() => look(folder)).toThrow(/can be written by others .*chmod 700/);
  });

  test.runIf(isRoot)('refuses a folder of another user in a place that is open to all', () => {
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, SOMEBODY, SOMEBODY);
    chmodSync(base, 0o1777);
    expect(() => look(folder)).toThrow(/belongs to another user \(uid 12345\)/);
  });

  test('takes a folder of its own', () => {
    mkdirSync(folder, { mode: 0o755 });
    look(folder);
  });
});

test('the supervisor makes it, and keeps all others out', () => {
  makePrivate(folder);
  chmodSync(folder, 0o755);
  makePrivate(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test.runIf(isRoot)("root may ask another's supervisor in a place where only root could put its folder", () => {
  mkdirSync(folder, { mode: 0o700 });
  chownSync(folder, SOMEBODY, SOMEBODY);
  chmodSync(base, 0o755);
  checkTrusted(folder);
  expect(() => makePrivate(folder)).toThrow(RuntimeDirError);
});

test('a folder that is not there is no matter of trust', () => {
  checkTrusted(folder);
});

test('a command asks nothing of a socket in a folder that it cannot trust', async () => {
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const client = createControlClient({ socketPath: join(folder, 'supervisor-9099.sock') });
  await expect(client.ask('status')).rejects.toThrow(/can be written by others/);
  client.close();
});
