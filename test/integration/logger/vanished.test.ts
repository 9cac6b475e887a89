/** Files that are deleted, moved or too large while several processes write to them. */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localDate } from '../../../src/shared/logger/line-format.js';
import { createLogger, type Logger } from '../../../src/shared/logger/logger.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { testConfig } from '../../support/program/config.js';
import { waitFor } from '../../support/wait-for.js';

let folder: string;
let file: string;
let logs: Logger[];
let printed: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vanished-'));
  file = join(folder, `worker-${localDate(Date.now())}.log`);
  [logs, printed] = [[], ''];
});
afterEach(async () => {
  await Promise.all(logs.map((log) => log.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** The supervisor, which keeps the folder, and two workers. */
async function startThree(maxDayBytes = 0): Promise<void> {
  for (const name of ['supervisor', 'worker-1', 'worker-2']) {
    const log = createLogger({
      logging: testConfig({ logging: { directory: folder, maxDayBytes } }).logging,
      name,
      ownsRotation: name === 'supervisor',
      clock: systemClock,
      stdout: new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          printed += chunk.toString();
          done();
        },
      }),
    });
    log.start();
    log.info(`${name} starts`);
    logs.push(log);
  }
  await Promise.all(logs.map((log) => log.flush()));
}

const linked = (): string => {
  try {
    return readFileSync(join(folder, 'worker.log'), 'utf8');
  } catch {
    return '';
  }
};

async function untilAllWriteAgain(): Promise<void> {
  await waitFor(
    () => {
      logs.forEach((log, at) => log.info(`again ${at}`));
      return [0, 1, 2].every((at) => linked().includes(`again ${at}`));
    },
    { what: 'a line of each behind the link', everyMs: 50 },
  );
}

describe.each([
  ['deleted', () => rmSync(file)],
  ['moved', () => renameSync(file, join(folder, 'elsewhere'))],
  ['deleted with all that lies beside it', () => rmSync(folder, { recursive: true })],
])('a file that was %s', (_, harm) => {
  test('is made again for all who write to it, with the link, and one WARNING', async () => {
    await startThree();
    harm();
    await untilAllWriteAgain();
    expect(readlinkSync(join(folder, 'worker.log'))).toBe(`worker-${localDate(Date.now())}.log`);
    expect(printed.match(/WARNING/g)).toHaveLength(1);
    expect(printed).toMatch(/WARNING - \[supervisor\] - The log file .* was deleted or moved .* made again\./);
  });
});

test('it is made again though nobody has anything to say, and a link that was deleted is mended', async () => {
  await startThree();
  rmSync(file);
  rmSync(join(folder, 'worker.log'));
  await waitFor(() => linked().includes('made again'), { what: 'the file and the link' });
});

test('lines that are written while the file is moved are in one of both', async () => {
  await startThree();
  const [, worker] = logs;
  for (let at = 0; at < 2_000; at += 1) {
    worker?.info(`line ${at}.`);
    if (at === 1_000) renameSync(file, join(folder, 'elsewhere'));
    if (at % 100 === 0) await new Promise(setImmediate);
  }
  await untilAllWriteAgain();
  const all = readFileSync(join(folder, 'elsewhere'), 'utf8') + linked();
  const found = [...all.matchAll(/line (\d+)\./g)].map(([, number]) => Number(number));
  expect(found).toEqual(Array.from({ length: 2_000 }, (_, at) => at));
});

test('a day’s log keeps its newest lines within LOG_MAX_SIZE, without a WARNING', async () => {
  const most = 2 ** 20;
  await startThree(most);
  const aside = file.replace(/\.log$/, '.1.log');
  const filler = 'x'.repeat(1_000);
  let line = 0;
  const inode = () => statSync(aside, { throwIfNoEntry: false })?.ino;
  for (let halves = 0; halves < 2; halves += 1) {
    const before = inode();
    await waitFor(
      () => {
        for (const log of logs) log.info(`${filler} ${line++}.`);
        return inode() !== before;
      },
      { what: 'the older half to be set aside' },
    );
  }
  await untilAllWriteAgain();
  expect(readdirSync(folder).filter((name) => name.startsWith('worker-'))).toHaveLength(2);
  expect(readFileSync(aside, 'utf8') + linked()).toContain(` ${line - 1}.`);
  expect(printed).not.toMatch(/WARNING|ERROR/);
});

test('files are for us and our group', async () => {
  await startThree();
  expect(statSync(file).mode & 0o137).toBe(0);
});
