import { afterEach, describe, expect, test } from 'vitest';
import { createRecoverer } from '../../../../src/duties/recoverer.js';
import { recordedLog } from '../../../support/recorded-log.js';
import { VirtualClock } from '../../../support/virtual-clock.js';
import { ScriptedRegister } from './scripted-register.js';

const HOUR_MS = 3_600_000;
const TEN_YEARS_MS = 10 * 365 * 24 * HOUR_MS;
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

function host() {
  const clock = new VirtualClock();
  const register = new ScriptedRegister(clock);
  const log = recordedLog();
  const observe = () => {
    const duty = createRecoverer({ queue: register.queue(), clock, log });
    stops.push(() => duty.stop());
    void duty.start();
    return duty;
  };
  return { clock, register, log, observe };
}

function timeOf(recovered: readonly string[], worker: string): number {
  return Number(
    recovered
      .find((text) => text.startsWith(`${worker} `))
      ?.split(' ')
      .at(-1) ?? NaN,
  );
}

const steps = [20_000, -20_000, HOUR_MS, -HOUR_MS, TEN_YEARS_MS, -TEN_YEARS_MS].flatMap((by) => [
  { by, times: 1 },
  { by, times: 10 },
]);

describe.each(steps)('the clock of Redis steps by $by ms, $times time(s)', ({ by, times }) => {
  test('nothing is recovered from the living, of this build or the earlier one, and the dead within 15 s', async () => {
    const { clock, register, observe } = host();
    for (const worker of ['one', 'two', 'three']) register.live(worker);
    register.live('earlier', 'earlier');
    for (let observers = 0; observers < 3; observers += 1) observe();
    await clock.advance(20_500);
    for (let step = 0; step < times; step += 1) {
      register.stepRedis(by / times);
      await clock.advance(1_700);
    }
    await clock.advance(30_000);
    expect(register.recovered).toEqual([]);
    // one dies, and the clock goes on stepping
    const diedAt = clock.now();
    for (const worker of ['two', 'earlier']) register.die(worker);
    for (let step = 0; step < times; step += 1) {
      register.stepRedis(by / times);
      await clock.advance(700);
    }
    await clock.advance(30_000);
    expect(register.recovered).toHaveLength(2);
    for (const worker of ['two', 'earlier'])
      expect(timeOf(register.recovered, worker) - diedAt).toBeLessThanOrEqual(15_000);
  });

  test('and back again: a lease that ends in ten years is over as soon as any other', async () => {
    const { clock, register, observe } = host();
    register.live('one');
    register.live('two');
    observe();
    await clock.advance(20_000);
    register.stepRedis(by);
    await clock.advance(5_000);
    register.stepRedis(-by);
    await clock.advance(30_000);
    expect(register.recovered).toEqual([]);
    const diedAt = clock.now();
    register.die('two');
    await clock.advance(15_000);
    expect(register.recovered).toHaveLength(1);
    expect(timeOf(register.recovered, 'two') - diedAt).toBeLessThanOrEqual(15_000);
  });
});

test('beside hosts of the earlier build, which judge by the clock of Redis, nobody takes from the living', async () => {
  const { clock, register, observe } = host();
  register.live('new');
  register.live('old', 'earlier');
  observe();
  register.observeAsEarlier();
  await clock.advance(120_000);
  expect(register.recovered).toEqual([]);
  register.die('new');
  register.die('old');
  await clock.advance(15_000);
  expect(register.recovered).toHaveLength(2);
});

test('an observer that comes later finds the dead 15 s after its start', async () => {
  const { clock, register, observe } = host();
  register.live('one');
  register.die('one');
  await clock.advance(60_000);
  const startedAt = clock.now();
  observe();
  await clock.advance(15_000);
  expect(timeOf(register.recovered, 'one') - startedAt).toBe(13_000);
});

test('a process tree that stood still for 20 s recovers nobody', async () => {
  const { clock, register, observe } = host();
  for (const worker of ['one', 'two']) register.live(worker);
  observe();
  await clock.advance(30_000);
  // timers that fell due meanwhile fire late, the observer's before the renewals
  clock.stall(20_000);
  await clock.advance(60_000);
  expect(register.recovered).toEqual([]);
});

test('while Redis is away, and while it takes no writes, no lease runs out', async () => {
  for (const fault of ['isUp', 'refuses'] as const) {
    const { clock, register, observe } = host();
    for (const worker of ['one', 'two']) register.live(worker);
    observe();
    await clock.advance(30_000);
    register[fault] = !register[fault];
    await clock.advance(40_000);
    register[fault] = !register[fault];
    await clock.advance(60_000);
    expect(register.recovered).toEqual([]);
  }
});

test('what cannot be recovered keeps nobody else from it; after 10 s it is said, with its name, and once', async () => {
  const { clock, register, log, observe } = host();
  for (const worker of ['bad', 'good']) register.live(worker);
  register.spoiled.add('bad');
  const duty = observe();
  await clock.advance(20_000);
  for (const worker of ['bad', 'good']) register.die(worker);
  await clock.advance(15_000);
  expect(register.recovered.map((text) => text.split(' ')[0])).toEqual(['good']);
  expect(log.count(/^ERROR/)).toBe(0);
  await clock.advance(60_000);
  const said = log.lines.filter((line) => line.startsWith('ERROR'));
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(
    /observation of leases has failed for more than 10 s: what bad held cannot be recovered: WRONGTYPE/,
  );
  expect(duty.trouble?.text).toContain('recovering bad');
  register.spoiled.clear();
  await clock.advance(2_000);
  expect(register.recovered).toHaveLength(2);
  expect(duty.trouble).toBeUndefined();
  expect(log.count(/works again/)).toBe(1);
});
