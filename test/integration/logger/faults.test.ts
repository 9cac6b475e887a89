import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/shared/time/clock.js';
import { createLogger, type Logger } from '../../../src/shared/logger/logger.js';
import { localDate } from '../../../src/shared/logger/line-format.js';
import { testConfig } from '../../support/program/config.js';
import { waitFor } from '../../support/wait-for.js';

let root: string;
let folder: string;
let file: string;
let printed: string;
let complaints: string[];
let log: Logger;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'logger-faults-'));
  folder = join(root, 'logs');
  file = join(folder, `worker-${localDate(Date.now())}.log`);
  printed = '';
  complaints = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    complaints.push(String(text));
    return true;
  });
  const stdout = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, callback) {
      printed += chunk;
      callback();
    },
  });
  log = createLogger({
    logging: testConfig({ logging: { directory: folder } }).logging,
    name: 'worker-1',
    ownsRotation: true,
    clock: systemClock,
    stdout,
  });
  log.start();
});
afterEach(async () => {
  await log.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

test('disk full: one complaint; when there is space again nothing is missing and a line says so', async () => {
  mkdirSync(folder);
  symlinkSync('/dev/full', file);
  log.info('first');
  await waitFor(() => complaints.length > 0, { what: 'the complaint' });
  for (let i = 0; i < 1_000; i += 1) log.info(`line ${i}`);
  await log.flush(); // does not wait for a disk that is full
  expect(printed.split('\n')).toHaveLength(1_002);

  rmSync(file);
  await waitFor(() => printed.includes('works again'), { what: 'the file to be written again' });
  await log.stop();
  const lines = readFileSync(file, 'utf8').split('\n');
  expect(lines.slice(0, 1_001).map((line) => line.split(' - ').at(-1))).toEqual([
    'first',
    ...Array.from({ length: 1_000 }, (_, i) => `line ${i}`),
  ]);
  expect(lines[1_001]).toMatch(/ - WARNING - \[worker-1\] - Writing the log file works again after \d+ s; 0 lines/);
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toContain(`Cannot write the log file ${file} (ENOSPC`);
  expect(log.stats()).toEqual({ dropped: 0, fileErrors: 1 });
});

test('a folder that cannot be made: console goes on, close waits for nothing, lines are counted as lost', async () => {
  writeFileSync(folder, 'a file where the folder should be');
  log.info('a');
  log.error('b');
  expect(printed).toMatch(/a\n.*b\n$/);
  vi.useFakeTimers({ toFake: ['setTimeout'] }); // for who waits until the deadline of close, that never comes
  await log.stop();
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toContain('LOG_FILE_PATH');
  expect(log.stats().dropped).toBe(2);
});

test('worker.log is a folder: the lines are written all the same', async () => {
  mkdirSync(join(folder, 'worker.log'), { recursive: true });
  log.info('a');
  await log.stop();
  expect(readFileSync(file, 'utf8')).toMatch(/a\n$/);
  expect(complaints.join('')).toContain(`${join(folder, 'worker.log')} is a folder`);
});

test('a disk that stalls: 16 MiB wait, the rest is counted, and logging waits for nothing', async () => {
  mkdirSync(folder);
  execFileSync('mkfifo', [file], { stdio: 'ignore' }); // opening it for writing blocks until somebody reads
  const line = 'x'.repeat(10_000);
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 4_000; i += 1) {
    log.info(line);
    if (i % 100 === 0) printed = '';
  }
  await log.flush();
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  const { dropped } = log.stats();
  expect(dropped).toBeGreaterThan(2_000);
  expect(complaints).toHaveLength(1);

  const reader = spawn('cat', [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let read = 0;
  reader.stdout.on('data', (chunk: Buffer) => (read += chunk.length));
  await waitFor(() => printed.includes(`; ${dropped} lines were lost`), { what: 'the line about the loss' });
  await log.stop();
  await once(reader, 'close');
  expect(read).toBeGreaterThan((4_000 - dropped) * 10_000);
});
