/**
 * Guards the speed of the hot path against mistakes that cost a multiple, on machines that are busy with other things:
 * what is compared was measured in turns within this run, the best round counts, and the floors are far below what is
 * usual (half of the bare loop's rate, twice its CPU time, 0.13 round trips per message).
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Closers } from '../../../scripts/local/closers.js';
import { ours } from '../../../scripts/bench/contenders/ours.js';
import { bareLoop } from '../../../scripts/bench/contenders/peers.js';
import { openStand, type Stand } from '../../../scripts/bench/stand.js';
import { ratiosOf } from '../../../scripts/bench/measure/ratios.js';
import { summarise } from '../../../scripts/bench/measure/summaries.js';
import { measureThroughput } from '../../../scripts/bench/measure/throughput.js';

const OURS = 'this worker';

let closers: Closers;
let stand: Stand;

beforeEach(async () => {
  closers = new Closers();
  stand = await openStand({ install: false, announce: () => undefined }, closers);
});
afterEach(() => closers.close());

test('a message costs neither a round trip of its own to Redis nor a multiple of a bare POST', async () => {
  const plan = { contenders: [ours(OURS), bareLoop], concurrencies: [16], rounds: 5, messages: 4_000 };
  const samples = await measureThroughput(stand, plan);

  const mine = summarise(samples).find(({ contender }) => contender === OURS);
  const [ratio] = ratiosOf(samples, OURS);
  // with one claim and one acknowledgement for each message it would be 2
  expect(mine?.roundTrips).toBeLessThan(0.4);
  // got on the hot path would make it 0.1; the kernel counts in steps of 10 ms, 2.5 µs per message here
  if (process.platform === 'linux') expect(ratio?.cpuRatio.max).toBeGreaterThan(0.2);
  expect(ratio?.ratio.max).toBeGreaterThan(0.25);
}, 300_000);
