import { beforeEach, describe, expect, test } from 'vitest';
import { noFaults, type Faults } from '../../../../scripts/main-server/faults.js';
import { Outages } from '../../../../scripts/main-server/outages.js';
import { RateLimit } from '../../../../scripts/main-server/rate-limit.js';

let now: number;
let faults: Faults;
let outages: Outages;

beforeEach(() => {
  now = 1_000;
  faults = noFaults();
  outages = new Outages(faults, () => now);
});

describe('outages by plan', () => {
  test('none without one', () => expect(outages.leftMs()).toBe(0));

  test.each([
    [0, 0],
    [19_999, 0],
    [20_000, 10_000],
    [29_500, 500],
    [30_000, 0],
    [55_000, 5_000],
  ])('%i ms after the start, of each 30 s the last 10: %i ms are left', (at, left) => {
    Object.assign(faults, { outageEveryMs: 30_000, outageForMs: 10_000 });
    now += at;
    expect(outages.leftMs()).toBe(left);
  });
});

describe('a slow start', () => {
  test('five times as long at first, and less and less', () => {
    faults.slowStartMs = 2_000;
    expect(outages.slowness()).toBe(1);
    outages.refused();
    now += 60_000; // nobody asked meanwhile: it begins with the first request that is served
    expect(outages.slowness()).toBe(5);
    now += 1_000;
    expect(outages.slowness()).toBe(3);
    now += 1_000;
    expect(outages.slowness()).toBe(1);
  });

  test('off, an outage slows nothing', () => {
    outages.refused();
    expect(outages.slowness()).toBe(1);
  });
});

test('a limiter counts whole seconds, and says how long to wait', () => {
  const limit = new RateLimit();
  expect([0, 10, 20].map((at) => limit.take(2, at))).toEqual([0, 0, 980]);
  expect([999, 1_000, 1_001, 1_100].map((at) => limit.take(2, at))).toEqual([1, 0, 0, 900]);
  expect(limit.take(0, 1_200)).toBe(0);
});
