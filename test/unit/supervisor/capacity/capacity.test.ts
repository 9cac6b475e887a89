import { describe, expect, test } from 'vitest';
import { cpuTimeOf } from '../../../../supervisor/capacity/cpu-time.js';
import { cpuSecondsBetween, deliveryTimesIn } from '../../../../supervisor/capacity/delivery-times.js';
import { cpuQuota } from '../../../../supervisor/capacity/host.js';
import type { MeasuredLevel } from '../../../../supervisor/capacity/main-server-load.js';
import { capacityOf, enoughParallel, recommend, type Host, type Level } from '../../../../supervisor/capacity/model.js';
import { latenciesOf } from '../../../../supervisor/capacity/statistics.js';

const host: Host = { cores: 8, memoryBytes: 16e9 };
const levelsOf = (rates: Record<number, number>): Level[] =>
  Object.entries(rates).map(([parallel, perSecond]) => ({ parallel: Number(parallel), perSecond }));

/** What the real main server was measured to do. */
const serial = levelsOf({ 1: 158, 2: 162, 4: 166, 16: 204 });
/** 0.2 s each, however many at once. */
const parallel = levelsOf({ 1: 5, 2: 10, 4: 20, 8: 40, 16: 80, 32: 160, 64: 320 });

describe('the capacity of settings', () => {
  test("the original's own example: 2 workers, concurrency 4, 0.2 s", () => {
    const capacity = capacityOf({ workers: 2, concurrency: 4 }, { levels: parallel, redisSeconds: 0 }, host);
    expect(capacity.perSecond).toBeCloseTo(40, 6);
    expect(capacity.secondsPerMessage).toBeCloseTo(0.2, 6);
    expect(capacity.limit).toBe('slots');
  });

  test.each([
    [1, 1, 158, 'slots'],
    [1, 2, 162, 'slots'],
    [1, 4, 166, 'slots'],
    [1, 10, 185, 'main server'],
    [4, 4, 204, 'main server'],
    [8, 64, 204, 'main server'],
  ])('a nearly serial main server: %d × %d give %d, limit: %s', (workers, concurrency, perSecond, limit) => {
    const capacity = capacityOf({ workers, concurrency }, { levels: serial, redisSeconds: 0 }, host);
    expect(capacity).toMatchObject({ perSecond: expect.closeTo(perSecond, 6) as number, limit });
    // Little's law, whatever the curve
    expect((workers * concurrency) / capacity.secondsPerMessage).toBeCloseTo(perSecond, 6);
  });

  test('the time in Redis is part of each message: one and a half round trips', () => {
    const measured = { levels: parallel, redisSeconds: 0.2 };
    const capacity = capacityOf({ workers: 1, concurrency: 10 }, measured, host);
    expect(capacity.secondsPerMessage).toBeCloseTo(0.2 + 1.5 * 0.2, 6);
    expect(capacity.perSecond).toBeCloseTo(10 / 0.5, 6);
  });

  test('Redis far away does not matter where the main server is the limit', () => {
    const measured = { levels: serial, redisSeconds: 0.02 };
    expect(capacityOf({ workers: 8, concurrency: 8 }, measured, host).perSecond).toBeCloseTo(204, 6);
  });

  test('deliveries that took longer than the requests that were measured count', () => {
    const measured = { levels: serial, redisSeconds: 0, deliverySeconds: 0.1 };
    expect(capacityOf({ workers: 1, concurrency: 4 }, measured, host)).toMatchObject({ perSecond: 40, limit: 'slots' });
  });

  test('a worker has one core, and none has more than there are', () => {
    const fast = { levels: levelsOf({ 1: 10_000, 64: 100_000 }), redisSeconds: 0, cpuSeconds: 130e-6 };
    const one = capacityOf({ workers: 1, concurrency: 64 }, fast, host);
    expect(one).toMatchObject({ perSecond: expect.closeTo(1 / 130e-6, 0) as number, limit: 'cpu' });
    const two = { cores: 2, memoryBytes: 16e9 };
    expect(capacityOf({ workers: 8, concurrency: 64 }, fast, two).perSecond).toBeCloseTo(2 * one.perSecond, 0);
  });
});

describe('where more at once stops helping', () => {
  test.each([
    ['serial', levelsOf({ 1: 200, 2: 201, 4: 199 }), 1],
    ['nearly serial', serial, 16],
    ['two at a time', levelsOf({ 1: 100, 2: 198, 4: 200, 8: 205 }), 2],
    ['worse with more', levelsOf({ 1: 100, 2: 190, 4: 150, 8: 90 }), 2],
    ['not yet', parallel, 64],
  ])('%s', (_, levels, enough) => {
    expect(enoughParallel(levels)).toBe(enough);
  });
});

describe('what to set', () => {
  const measured = { levels: parallel, redisSeconds: 0, deliverySeconds: 0.2 };

  test.each([
    // 1.16 per second at 70 % load are 1.65 in 0.2 s: a third of a slot; two workers all the same
    ['100,000 a day', 100_000 / 86_400, host, { workers: 2, concurrency: 1 }],
    ['10 a second: 14.3 at 70 % load, 3 slots', 10, host, { workers: 2, concurrency: 2 }],
    ['100 a second: 143 at 70 % load, 29 slots', 100, host, { workers: 2, concurrency: 15 }],
    ['what leaves no reserve: 300 of 320', 300, host, { workers: 2, concurrency: 30 }],
    ['more than can be had: nearly all there is', 1_000, host, { workers: 2, concurrency: 32 }],
    ['no target: nearly all there is', undefined, host, { workers: 2, concurrency: 32 }],
    ['little memory', 10, { cores: 8, memoryBytes: 400e6 }, { workers: 1, concurrency: 3 }],
    ['one core', 10, { cores: 1, memoryBytes: 16e9 }, { workers: 2, concurrency: 2 }],
  ] as const)('%s', (_, target, where, settings) => {
    expect(recommend(target, measured, where)).toEqual(settings);
  });

  test('as long as no real delivery was measured, no less than the default concurrency', () => {
    const unknown = { levels: parallel, redisSeconds: 0 };
    expect(recommend(1, unknown, host)).toEqual({ workers: 2, concurrency: 4 });
    expect(recommend(100, unknown, host)).toEqual({ workers: 2, concurrency: 15 });
  });

  test('CPU time that could not be measured limits nothing', () => {
    const unknown = { levels: levelsOf({ 1: 10_000, 64: 100_000 }), redisSeconds: 0 };
    expect(capacityOf({ workers: 1, concurrency: 64 }, unknown, host)).toMatchObject({
      perSecond: expect.closeTo(100_000, 0) as number,
      limit: 'main server',
    });
    expect(recommend(50_000, unknown, host)).toMatchObject({ workers: 2 });
  });

  test.each([
    ['slow at four', levelsOf({ 1: 158, 2: 162, 4: 166 }), 4],
    ['slow at two', levelsOf({ 1: 158, 2: 159 }), 2],
    ['one alone', levelsOf({ 1: 158 }), 1],
    ['three at most', levelsOf({ 1: 10, 2: 20, 3: 30 }), 3],
    ['sixteen', parallel.slice(0, 5), 16],
  ])('never more at once than was tried: %s', (_, levels, most) => {
    for (const redisSeconds of [0, 0.001, 0.05, 1]) {
      for (const target of [0.1, 30, 150, 10_000, undefined]) {
        for (const deliverySeconds of [undefined, 0.2, 5]) {
          for (const cpuSeconds of [undefined, 130e-6, 0.1]) {
            const { workers, concurrency } = recommend(
              target,
              { levels, redisSeconds, deliverySeconds, cpuSeconds },
              host,
            );
            expect(workers).toBeGreaterThanOrEqual(1);
            expect(concurrency).toBeGreaterThanOrEqual(1);
            expect(workers * concurrency).toBeLessThanOrEqual(most);
          }
        }
      }
    }
  });

  test('workers for the cores, where CPU time is what lacks', () => {
    const fast = { levels: levelsOf({ 1: 10_000, 64: 40_000 }), redisSeconds: 0, cpuSeconds: 130e-6 };
    expect(recommend(16_000, fast, host)).toMatchObject({ workers: 3 });
    expect(recommend(undefined, fast, { cores: 4, memoryBytes: 16e9 })).toMatchObject({ workers: 4 });
  });

  test('what is recommended gives the target, whatever the target, Redis and the curve', () => {
    for (const levels of [serial, parallel]) {
      for (const redisSeconds of [0, 0.001, 0.05]) {
        for (const target of [0.1, 1, 7, 33, 100, 150]) {
          const facts = { levels, redisSeconds };
          expect(capacityOf(recommend(target, facts, host), facts, host).perSecond).toBeGreaterThanOrEqual(target);
        }
      }
    }
  });
});

test('latencies: mean, median and the one that 99 of 100 stay below', () => {
  const ms = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect(latenciesOf(ms)).toEqual({ count: 100, meanMs: 50.5, p50Ms: 51, p99Ms: 100 });
  expect(latenciesOf([7])).toEqual({ count: 1, meanMs: 7, p50Ms: 7, p99Ms: 7 });
});

describe('CPU time per message', () => {
  const page = (messages: number, ...cpu: number[]) =>
    [
      `worker_delivery_duration_seconds_count{worker_id="worker-1"} ${messages}`,
      ...cpu.map((seconds, at) => `process_cpu_seconds_total{worker_id="worker-${at + 1}"} ${seconds}`),
    ].join('\n');
  const level = (cpuSeconds: number | undefined) => ({ cpuSeconds }) as MeasuredLevel;
  const levels = [level(200e-6), level(80e-6), level(undefined)];

  test('by the count of running workers, between two looks', () => {
    expect(cpuSecondsBetween(page(500, 2, 3), page(2_500, 2.05, 3.07))).toBeCloseTo(60e-6, 9);
    const before = page(500, 2);
    expect(cpuTimeOf({ before, after: page(2_500, 2.1), levels, redisCpuSeconds: 40e-6 })).toEqual({
      secondsPerMessage: expect.closeTo(50e-6, 9) as number,
      by: 'workers',
    });
  });

  test('with few messages or no workers, of the request and half a round trip here', () => {
    const measured = { secondsPerMessage: 100e-6, by: 'requests' };
    expect(cpuTimeOf({ before: '', after: '', levels, redisCpuSeconds: 40e-6 })).toEqual(measured);
    const few = { before: page(0, 1), after: page(999, 2) };
    expect(cpuTimeOf({ ...few, levels, redisCpuSeconds: 40e-6 })).toEqual(measured);
  });

  test.each([
    [[level(undefined)], 40e-6],
    [[], 40e-6],
    [levels, undefined],
  ])('not at all', (measured, redisCpuSeconds) =>
    expect(cpuTimeOf({ before: '', after: '', levels: measured, redisCpuSeconds })).toBeUndefined(),
  );
});

test.each([
  ['max 100000', undefined],
  ['150000 100000', 1],
  ['400000 100000', 4],
  ['50000 100000', 1],
  ['', undefined],
])('cores of a cgroup with %j', (text, cores) => expect(cpuQuota(text)).toBe(cores));

test('delivery times of all workers together; few say nothing', () => {
  const page = (count: number) => `# TYPE worker_delivery_duration_seconds histogram
worker_delivery_duration_seconds_bucket{le="0.005",worker_id="worker-1"} 3
worker_delivery_duration_seconds_sum{worker_id="worker-1"} 1.5
worker_delivery_duration_seconds_count{worker_id="worker-1"} ${count}
worker_delivery_duration_seconds_sum{worker_id="worker-2"} 0.5
worker_delivery_duration_seconds_count{worker_id="worker-2"} 10
`;
  expect(deliveryTimesIn(page(30))).toEqual({ count: 40, meanMs: 50 });
  expect(deliveryTimesIn(page(5))).toBeUndefined();
  expect(deliveryTimesIn('')).toBeUndefined();
});
