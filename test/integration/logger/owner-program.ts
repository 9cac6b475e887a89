/**
 * Forked by owners.test.ts: the supervisor of an installation that shares its log folder with another. Its arguments are
 * the folder, its name, LOG_MAX_SIZE in bytes and how long it logs, ms. It looks after the folder a hundred times as often.
 */
import { createLogger } from '../../../src/shared/logger/logger.js';
import { systemClock, type Clock } from '../../../src/shared/time/clock.js';
import { testConfig } from '../../support/program/config.js';

const [directory = '', name = '', maxDayBytes = '0', lastsMs = '0'] = process.argv.slice(2);
const clock: Clock = Object.assign(Object.create(systemClock) as Clock, {
  every: (ms: number, action: () => void) => systemClock.every(ms / 100, action),
});

const log = createLogger({
  logging: testConfig({ logging: { directory, maxDayBytes: Number(maxDayBytes) } }).logging,
  name,
  ownsRotation: true,
  clock,
});
log.start();
const until = clock.now() + Number(lastsMs);
for (let line = 0; clock.now() < until; line += 1) {
  log.info(`line ${line} ${'x'.repeat(200)}`);
  if (line % 50 === 49) await clock.sleep(2);
}
await log.stop();
process.exit(0);
