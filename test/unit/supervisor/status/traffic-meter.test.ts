import { expect, test } from 'vitest';
import type { Beat } from '../../../../src/shared/ipc.js';
import { DELIVERY_BUCKETS, WAIT_BUCKETS, type FailureTally } from '../../../../src/shared/metrics/traffic.js';
import { quantilesOf } from '../../../../supervisor/status/quantiles.js';
import { TrafficMeter } from '../../../../supervisor/status/traffic-meter.js';

interface Process {
  readonly workerId: string;
  readonly forkedAt: number;
  beat: Beat | undefined;
  beatAt: number;
}

const process = (workerId: string, forkedAt = 0): Process => ({
  workerId,
  forkedAt,
  beat: undefined,
  beatAt: forkedAt,
});

/** @param deliveries all of them in the fifth bucket, 50 to 75 ms. */
function beat(target: Process, at: number, deliveries: number, failures: readonly FailureTally[] = []): void {
  const counts = (bounds: readonly number[]) => bounds.map((_, bucket) => (bucket === 4 ? deliveries : 0)).concat(0);
  const failed = failures.reduce((sum, { count }) => sum + count, 0);
  target.beatAt = at;
  target.beat = {
    state: 'ready',
    reasons: [],
    consuming: true,
    inFlight: 0,
    processed: deliveries + failed,
    delivered: deliveries,
    failed,
    retried: failed,
    eventLoopLagSeconds: 0,
    redisUp: true,
    breaker: 'closed',
    traffic: { deliverySeconds: counts(DELIVERY_BUCKETS), waitSeconds: counts(WAIT_BUCKETS), failures },
  };
}

const timeouts = (count: number, at: number, messageId = 'm'): FailureTally[] => [
  { reason: 'timeout', count, at, error: 'Connection timeout', messageId },
];

test('the rate is taken from beat to beat, however many fall between two looks', () => {
  const [one, two] = [process('worker-1'), process('worker-2')];
  const meter = new TrafficMeter(2_000);
  beat(one, 1_000, 100);
  beat(two, 1_900, 190);
  meter.look([one, two], 2_000);
  expect(meter.traffic.delivered_per_second).toBe(200);
  beat(one, 4_000, 400); // three beats
  beat(two, 2_900, 290); // one
  meter.look([one, two], 4_000);
  expect(meter.traffic.delivered_per_second).toBe(200);
  meter.look([one, two], 6_000);
  expect(meter.traffic.delivered_per_second).toBe(0);
});

test('a process that ends is counted to its last beat and no further; its successor begins at 0', () => {
  const old = process('worker-1');
  const meter = new TrafficMeter(2_000);
  beat(old, 2_000, 20, timeouts(2, 1));
  meter.look([old], 2_000);
  beat(old, 3_000, 30, timeouts(3, 2));
  const next = process('worker-1', 3_000);
  meter.look([next], 4_000);
  expect(meter.traffic).toMatchObject({ delivered_per_second: 10, failed_per_second: 1 });
  beat(next, 5_000, 8, timeouts(1, 3));
  meter.look([next], 6_000);
  expect(meter.traffic.delivered_per_second).toBe(4);
  expect(meter.errors(6_000)).toMatchObject([{ reason: 'timeout', count: 4, recent_count: 4 }]);
});

test('times are those of the last half minute', () => {
  const one = process('worker-1');
  const meter = new TrafficMeter(2_000);
  beat(one, 1_000, 10);
  meter.look([one], 2_000);
  expect(meter.traffic.delivered).toBe(10);
  expect(meter.traffic.delivery_seconds).toEqual({ p50: 0.0625, p95: 0.0738, p99: 0.0748 });
  for (let look = 2; look <= 15; look++) meter.look([one], look * 2_000);
  expect(meter.traffic.delivery_seconds).not.toBeNull();
  meter.look([one], 32_000);
  expect(meter.traffic).toMatchObject({
    window_seconds: 30,
    delivered: 0,
    delivery_seconds: null,
    queue_wait_seconds: null,
  });
});

test('errors show the latest message and what of them is recent', () => {
  const [one, two] = [process('worker-1'), process('worker-2')];
  const meter = new TrafficMeter(2_000);
  const at = Date.parse('2026-01-01T00:00:00Z');
  beat(one, 1_000, 0, timeouts(5, at + 500, 'late'));
  beat(two, 1_000, 0, timeouts(1, at, 'early'));
  meter.look([one, two], 2_000);
  const latest = { last_message_id: 'late', last_worker_id: 'worker-1', last_at: '2026-01-01T00:00:00.500Z' };
  expect(meter.errors(2_000)).toEqual([
    { reason: 'timeout', count: 6, recent_count: 6, last_error: 'Connection timeout', ...latest },
  ]);
  expect(meter.errors(302_001)).toMatchObject([{ count: 6, recent_count: 0 }]);
});

test('a worker of an older version, which tells no times, is counted all the same', () => {
  const one = process('worker-1');
  beat(one, 1_000, 10);
  one.beat = { ...(one.beat as Beat), traffic: undefined };
  const meter = new TrafficMeter(2_000);
  meter.look([one], 2_000);
  expect(meter.traffic).toMatchObject({ delivered_per_second: 10, delivery_seconds: null });
});

test.each([
  { counts: [0, 0, 0], wanted: null },
  { counts: [4, 0, 0], wanted: { p50: 0.5, p95: 0.95, p99: 0.99 } },
  { counts: [2, 2, 0], wanted: { p50: 1, p95: 1.9, p99: 1.98 } },
  // above the last bound nothing is known
  { counts: [0, 0, 9], wanted: { p50: 2, p95: 2, p99: 2 } },
])('quantiles of $counts within 1 and 2', ({ counts, wanted }) => {
  expect(quantilesOf([1, 2], counts)).toEqual(wanted);
});
