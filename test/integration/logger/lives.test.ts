import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, vi } from 'vitest';
import { DailyLogFile } from '../../../src/shared/logger/daily-log-file.js';
import { createLogger } from '../../../src/shared/logger/logger.js';
import { MidnightWatch } from '../../../src/shared/logger/midnight.js';
import type { Life } from '../../../src/shared/life.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { conformsToLife } from '../../support/life.js';
import { testConfig } from '../../support/program/config.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'logger-lives-'));
  writeFileSync(join(root, 'taken'), 'a file where a folder should be');
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true });
});

/** A start is over when a line was written. */
function loggerIn(folder: string): Life {
  const log = createLogger({
    logging: testConfig({ logging: { directory: join(root, folder) } }).logging,
    name: 'worker-1',
    ownsRotation: true,
    clock: systemClock,
    stdout: new PassThrough().resume(),
  });
  return {
    start: async () => {
      log.start();
      log.info('a line');
      await log.flush();
    },
    stop: () => log.stop(),
  };
}

/** It lives from its first line on. */
function fileIn(folder: string): Life {
  const file = new DailyLogFile({
    directory: join(root, folder),
    fileName: 'worker.log',
    clock: systemClock,
    onOpen: () => undefined,
    onGone: () => undefined,
    onTrouble: () => undefined,
    onRecovery: () => undefined,
  });
  return {
    start: async () => {
      file.append({ text: 'a line', lines: 1 });
      await file.idle();
    },
    stop: () => file.stop(),
  };
}

conformsToLife({ name: 'a logger', make: () => loggerIn('logs'), makeFailing: () => loggerIn('taken') });
conformsToLife({ name: 'the day’s file', make: () => fileIn('logs'), makeFailing: () => fileIn('taken') });
conformsToLife({ name: 'the watch for midnight', make: () => new MidnightWatch(systemClock, () => undefined) });
