import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LogFileError } from '../../../../../src/shared/logger/log-file-error.js';
import { deleteExpired, pointLinkAt, setAside } from '../../../../../src/shared/logger/log-folder.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-folder-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, text = ''): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('pointLinkAt', () => {
  test('makes a relative link and switches it', () => {
    pointLinkAt(write('worker-2025-01-15.log', 'old'), 'worker.log', '2025-01-15');
    expect(readlinkSync(join(folder, 'worker.log'))).toBe('worker-2025-01-15.log');
    pointLinkAt(write('worker-2025-01-16.log', 'new'), 'worker.log', '2025-01-16');
    expect(readFileSync(join(folder, 'worker.log'), 'utf8')).toBe('new');
    expect(readdirSync(folder).sort()).toEqual(['worker-2025-01-15.log', 'worker-2025-01-16.log', 'worker.log']);
  });

  test("keeps the Python worker's file, also a second one on the same day", () => {
    const target = write('worker-2025-01-15.log');
    write('worker.log', 'from Python');
    pointLinkAt(target, 'worker.log', '2025-01-15');
    rmSync(join(folder, 'worker.log'));
    write('worker.log', 'from Python again');
    pointLinkAt(target, 'worker.log', '2025-01-15');
    expect(readFileSync(join(folder, 'worker-before-2025-01-15.log'), 'utf8')).toBe('from Python');
    expect(readFileSync(join(folder, 'worker-before-2025-01-15-2.log'), 'utf8')).toBe('from Python again');
    expect(readlinkSync(join(folder, 'worker.log'))).toBe('worker-2025-01-15.log');
  });

  test('takes a hard link to a dated file for its own', () => {
    linkSync(write('worker-2025-01-15.log', 'old'), join(folder, 'worker.log'));
    pointLinkAt(write('worker-2025-01-16.log', 'new'), 'worker.log', '2025-01-16');
    expect(readdirSync(folder).sort()).toEqual(['worker-2025-01-15.log', 'worker-2025-01-16.log', 'worker.log']);
    expect(readFileSync(join(folder, 'worker.log'), 'utf8')).toBe('new');
  });

  test('refuses to touch a folder of that name', () => {
    mkdirSync(join(folder, 'worker.log'));
    expect(() => pointLinkAt(write('worker-2025-01-15.log'), 'worker.log', '2025-01-15')).toThrow(LogFileError);
  });
});

describe('setAside', () => {
  test('takes the place of the one before it', () => {
    const file = write('worker-2025-01-15.log', 'large');
    write('worker-2025-01-15.1.log', 'older');
    expect(setAside(file, 5)).toBe(true);
    expect(readdirSync(folder)).toEqual(['worker-2025-01-15.1.log']);
    expect(readFileSync(join(folder, 'worker-2025-01-15.1.log'), 'utf8')).toBe('large');
  });

  test('leaves the new file of another process alone, and says nothing where there is none yet', () => {
    const file = write('worker-2025-01-15.log', 'new');
    write('worker-2025-01-15.1.log', 'just set aside');
    expect(setAside(file, 5)).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readFileSync(join(folder, 'worker-2025-01-15.1.log'), 'utf8')).toBe('just set aside');
    rmSync(file);
    expect(setAside(file, 5)).toBe(false);
    expect(readdirSync(folder)).toEqual(['worker-2025-01-15.1.log']);
  });
});

test('deleteExpired keeps 7 days before today, deletes the 8th, and only names of the pattern', () => {
  const kept = [
    'worker-2025-03-01.log',
    'worker-2025-02-28.log.gz',
    'worker-2025-02-22.log', // 7 days before 1 March
    'worker-before-2024-01-01.log',
    'worker.log.2024-01-01',
    'worker-2024-01-01.txt',
    'worker-1-2024-01-01.log',
    'other-2024-01-01.log',
    'worker-2024-99-99.log',
  ];
  const deleted = [
    'worker-2025-02-21.log',
    'worker-2025-02-21.log.gz',
    'worker-2025-02-21.1.log',
    'worker-2025-02-21.1-0f3a9c21.log',
    'worker-2023-12-31.log',
  ];
  [...kept, ...deleted].forEach((name) => write(name));
  const options = { date: '2025-03-01', retentionDays: 7 };
  expect(deleteExpired(folder, 'worker.log', options).sort()).toEqual(deleted.sort());
  expect(readdirSync(folder).sort()).toEqual(kept.sort());
});
