import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/shared/time/clock.js';
import { createLogger, type Logger, type LoggerOptions } from '../../../src/shared/logger/logger.js';
import { localDate } from '../../../src/shared/logger/line-format.js';
import { testConfig } from '../../support/program/config.js';
import { waitFor } from '../../support/wait-for.js';

let root: string;
let folder: string;
let printed: string;
let log: Logger | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'logger-'));
  folder = join(root, 'made', 'with', 'parents');
  printed = '';
});
afterEach(async () => {
  await log?.stop();
  log = undefined;
  vi.useRealTimers();
  rmSync(root, { recursive: true, force: true });
});

function start(logging: Partial<LoggerOptions['logging']> = {}, options: Partial<LoggerOptions> = {}): Logger {
  const stdout = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, callback) {
      printed += chunk;
      callback();
    },
  });
  log = createLogger({
    logging: testConfig({ logging: { directory: folder, ...logging } }).logging,
    name: 'worker-1',
    ownsRotation: true,
    clock: systemClock,
    stdout,
    ...options,
  });
  log.start();
  return log;
}

const today = () => `worker-${localDate(Date.now())}.log`;
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

/** Sets the date only: timers stay real, because files are written meanwhile. */
function setDate(date: Date): void {
  vi.useFakeTimers({ now: date, toFake: ['Date'] });
}

describe('lines', () => {
  test('console and file hold the same lines in the original shape', async () => {
    const logger = start();
    setDate(new Date(2025, 0, 15, 10, 30, 45, 123));
    logger.info('Worker worker-1 starting...');
    logger.warn('w');
    logger.error('e\nforged');
    logger.debug('not shown');
    await logger.stop();
    const expected =
      '2025-01-15 10:30:45,123 - worker - INFO - [worker-1] - Worker worker-1 starting...\n' +
      '2025-01-15 10:30:45,123 - worker - WARNING - [worker-1] - w\n' +
      '2025-01-15 10:30:45,123 - worker - ERROR - [worker-1] - e\\nforged\n';
    expect(printed).toBe(expected);
    expect(read('worker-2025-01-15.log')).toBe(expected);
    expect(read('worker.log')).toBe(expected);
  });

  test('nothing else is left in the folder', async () => {
    start().info('x');
    await log?.stop();
    expect(readdirSync(folder).sort()).toEqual([today(), 'worker.log'].sort());
  });

  test('no folder is made before the first line', async () => {
    await start().stop();
    expect(existsSync(folder)).toBe(false);
  });

  test('JSON lines', async () => {
    start({ format: 'json' }).info('x');
    await log?.stop();
    expect(JSON.parse(read('worker.log'))).toMatchObject({ level: 'INFO', worker_id: 'worker-1', message: 'x' });
  });

  test('the level can be changed while it runs', () => {
    const logger = start();
    logger.debug('not shown');
    logger.setLevel('DEBUG');
    logger.debug('shown');
    logger.setLevel('ERROR');
    logger.warn('not shown');
    logger.error('shown, too');
    expect(printed).toMatch(/^[^\n]* - DEBUG - \[worker-1\] - shown\n[^\n]* - ERROR - \[worker-1\] - shown, too\n$/);
  });

  test('flush: what was logged before is on disk', async () => {
    const logger = start();
    for (let i = 0; i < 5_000; i += 1) logger.info(`line ${i}`);
    await logger.flush();
    expect(read(today()).split('\n')).toHaveLength(5_001);
  });

  test('stop is safe twice, and lines after it do no harm', async () => {
    const logger = start();
    logger.info('before');
    await Promise.all([logger.stop(), logger.stop()]);
    logger.info('after');
    logger.error('after');
    await logger.stop();
    expect(read(today()).split('\n')).toHaveLength(2);
  });
});

describe('rotation', () => {
  test('at midnight without a line: next file, link switched, the file of the 8th day deleted', async () => {
    setDate(new Date(2025, 0, 15, 23, 59, 59, 800));
    const logger = start();
    logger.info('before');
    await logger.flush();
    expect(readlinkSync(join(folder, 'worker.log'))).toBe('worker-2025-01-15.log');
    for (const name of ['worker-2025-01-09.log', 'worker-2025-01-08.log.gz']) writeFileSync(join(folder, name), '');

    setDate(new Date(2025, 0, 16, 0, 0, 0, 0));
    const switched = () => readlinkSync(join(folder, 'worker.log')) === 'worker-2025-01-16.log';
    await waitFor(switched, { what: 'the link to lead to the next file' });
    expect(readdirSync(folder)).toContain('worker-2025-01-09.log');
    expect(readdirSync(folder)).toContain('worker-2025-01-16.log');
    expect(readdirSync(folder)).not.toContain('worker-2025-01-08.log.gz');
    expect(read('worker-2025-01-16.log')).toBe('');

    logger.info('after');
    await logger.stop();
    expect(read('worker-2025-01-15.log')).toMatch(/before\n$/);
    expect(read('worker.log')).toMatch(/^2025-01-16 00:00:00,000 - .* - after\n$/);
  });

  test('day after day 7 old files are kept', async () => {
    setDate(new Date(2025, 1, 20, 12));
    const logger = start();
    for (let day = 20; day <= 31; day += 1) {
      setDate(new Date(2025, 1, day, 12));
      logger.info(`day ${day}`);
      await logger.flush();
    }
    await logger.stop();
    const dated = readdirSync(folder).filter((name) => name !== 'worker.log');
    expect(dated.sort()).toEqual(
      ['02-24', '02-25', '02-26', '02-27', '02-28', '03-01', '03-02', '03-03'].map((day) => `worker-2025-${day}.log`),
    );
  });

  test('a process that does not own the rotation leaves link and old files alone', async () => {
    start().info('made');
    await log?.stop();
    rmSync(join(folder, 'worker.log'));
    writeFileSync(join(folder, 'worker-2001-01-01.log'), '');
    start({}, { ownsRotation: false }).info('again');
    await log?.stop();
    expect(readdirSync(folder).sort()).toEqual(['worker-2001-01-01.log', today()]);
  });
});

describe('console', () => {
  test('a reader that went away or stalls costs its lines, not the process nor the file', async () => {
    const stdout = new PassThrough(); // nobody reads it
    const logger = start({}, { stdout });
    const line = 'x'.repeat(10_000);
    for (let i = 1; i <= 3_000; i += 1) {
      logger.info(line);
      const written = () => statSync(join(folder, today()), { throwIfNoEntry: false })?.size ?? 0;
      if (i % 500 === 0) await waitFor(() => written() > i * 10_000, { what: `line ${i} in the file` });
    }
    stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(stdout.writableLength + stdout.readableLength).toBeLessThan(20 * 1024 * 1024);
    expect(logger.stats().dropped).toBeGreaterThan(0);
    stdout.resume();
    await logger.stop();
    expect(read(today()).split('\n')).toHaveLength(3_001);
  });
});
