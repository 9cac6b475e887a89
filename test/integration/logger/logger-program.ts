/**
 * Forked by processes.test.ts. Its arguments are the folder and the worker's name; each message orders one
 * thing: { lines: n } logs n lines, { close: true } closes and exits, { crash: n } logs n lines and dies of a crash.
 */
import { createLogger } from '../../../src/shared/logger/logger.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { testConfig } from '../../support/program/config.js';

interface Order {
  readonly lines?: number;
  readonly close?: true;
  readonly crash?: number;
}

const [directory = '', name = ''] = process.argv.slice(2);

const log = createLogger({
  logging: testConfig({ logging: { directory } }).logging,
  name,
  ownsRotation: name === 'worker-1',
  clock: systemClock,
});
log.start();

function line(i: number): void {
  log.info(`line ${i} ${'x'.repeat(i % 300)}`);
}

async function obey(order: Order): Promise<void> {
  for (let i = 0; i < (order.lines ?? 0); i += 1) {
    line(i);
    if (i % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
  }
  if (order.close) {
    await log.stop();
    process.exit(0);
  }
  if (order.crash !== undefined) {
    for (let i = 0; i < order.crash; i += 1) line(i);
    log.crash('Error: last words\n    at here');
    process.exit(1);
  }
}

process.on('message', (order: Order) => void obey(order));
process.send?.('ready');
