/** The scenes of the benchmark, each at its smallest: that they measure what they say, not how fast. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ours } from '../../../scripts/bench/contenders/ours.js';
import { bullmq } from '../../../scripts/bench/contenders/peers.js';
import { measureCold } from '../../../scripts/bench/scenes/cold.js';
import { measureFailures } from '../../../scripts/bench/scenes/failures.js';
import { measureFrozenServer } from '../../../scripts/bench/scenes/frozen-server.js';
import { measureOperator } from '../../../scripts/bench/scenes/operator.js';
import { measureRealOrder } from '../../../scripts/bench/scenes/real-order.js';
import { openSink } from '../../../scripts/bench/sinks/open-sink.js';
import { openStand, type Stand } from '../../../scripts/bench/stand.js';
import { Closers } from '../../../scripts/local/closers.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';

expectNoLeftovers();
const contenders = [ours('this worker'), bullmq];
const closers = new Closers();
const quiet = { install: false, announce: () => undefined };
let stand: Stand;

beforeAll(async () => {
  stand = await openStand(quiet, closers);
});
afterAll(() => closers.close());

test('cold: every contender is a new process in each run', async () => {
  const plan = { contenders, concurrencies: [4], runs: 2, messages: 300, onSample: () => undefined };
  const samples = await measureCold(stand, plan);
  expect(samples.map(({ contender, round }) => `${contender} ${round}`).sort()).toEqual(
    contenders.flatMap(({ name }) => [`${name} 0`, `${name} 1`]).sort(),
  );
  expect(new Set(samples.map(({ pid }) => pid)).size).toBe(4);
  for (const { messagesPerSecond, redisMicros } of samples) {
    expect(messagesPerSecond).toBeGreaterThan(0);
    expect(redisMicros).toBeGreaterThan(0);
  }
}, 120_000);

test('failures: what half failing costs, of both', async () => {
  const { folder, certificates } = stand;
  const half = await openSink({ folder, certificates, failHalf: true, ...quiet }, closers);
  const before = await half.requests();
  const plan = { contenders, concurrency: 4, runs: 1, messages: 400, half, onCost: () => undefined };
  const costs = await measureFailures(stand, plan);
  expect(costs.map(({ contender }) => contender)).toEqual(['this worker', 'BullMQ']);
  // 600 attempts of each, of which one tells the main server of its failures
  expect((await half.requests()) - before).toBeGreaterThan(1_200);
  expect(costs.every(({ attemptsPerSecond }) => attemptsPerSecond > 0)).toBe(true);
}, 120_000);

test('a freezing server: all is delivered within its pool, and it shows what was in flight', async () => {
  const plan = { fixed: [2], configured: [4], messages: 60, seconds: 60, onRun: () => undefined };
  const runs = await measureFrozenServer(stand, plan);
  expect(runs).toHaveLength(2);
  for (const { delivered, mostInFlight, frozen, p95, concurrency } of runs) {
    expect({ delivered, frozen }).toEqual({ delivered: 60, frozen: 0 });
    expect(mostInFlight).toBeGreaterThan(0);
    expect(mostInFlight).toBeLessThanOrEqual(3 * concurrency);
    expect(p95).toBeGreaterThan(0);
  }
}, 120_000);

test('real order: no message is delivered before it is registered', async () => {
  const found = await measureRealOrder(stand, { warmUp: 2, messages: 5 });
  expect(found.messages).toBe(5);
  expect(found.floorP50).toBeGreaterThanOrEqual(28);
  // registered after as long as the floor has, whatever the machine did in between
  expect(found.p50).toBeGreaterThanOrEqual(28);
  expect(found.wastedPosts).toBeGreaterThanOrEqual(0);
}, 120_000);

test('operator: what is asked for is done while deliveries go on', async () => {
  const sizes = { waiting: 2_000, dead: 500, retrying: 100, taken: 50 };
  const found = await measureOperator(stand, sizes);
  expect(found).toMatchObject(sizes);
  for (const seconds of Object.values(found.seconds)) expect(seconds).toBeGreaterThan(0);
  expect(found.rateKept).toBeGreaterThan(0);
  // 50 are purged, and cancelled ones come in their place, but for those that are delivered before
  const left = await stand.redis.zcard('{message_queue}:dead:index');
  expect(left).toBeGreaterThanOrEqual(450);
  expect(left).toBeLessThanOrEqual(500);
}, 120_000);
