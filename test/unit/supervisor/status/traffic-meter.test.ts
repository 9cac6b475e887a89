import { expect, test } from 'vitest';
import { RecentErrors } from '../../../../supervisor/status/errors.js';
import { CountLedger, type SlotCounts } from '../../../../supervisor/status/counts.js';
import { failingConcerns } from '../../../../supervisor/status/judgement/failing-concerns.js';
import { quantilesOf } from '../../../../supervisor/status/quantiles.js';
import { TrafficMeter } from '../../../../supervisor/status/traffic-meter.js';
import { CountSet } from '../../../../supervisor/workers/count-set.js';
import { WorkerSlot } from '../../../../supervisor/workers/worker-slot.js';
import { VirtualClock } from '../../../support/virtual-clock.js';
import { handleOf, ScriptedChild } from '../workers/scripted-child.js';
import { toldCounts, type Told } from '../workers/told-counts.js';

/** A slot as the ledger shows it, with one process. */
class Slot implements SlotCounts {
  readonly sets: CountSet[] = [];

  constructor(
    readonly number: number,
    public since = 0,
  ) {
    this.restart(since);
  }

  get at(): number {
    return Math.max(...this.sets.map(({ at }) => at));
  }

  tells(at: number, told: Told): this {
    this.sets.at(-1)?.note(toldCounts(told), at);
    return this;
  }

  /** What went before stays; another process counts from 0. */
  restart(at: number): void {
    this.since = at;
    this.sets.push(new CountSet(`worker-${this.number}`));
  }
}

test('the rate is taken from one telling to the next, however many fall between two looks', () => {
  const [one, two] = [new Slot(1), new Slot(2)];
  const meter = new TrafficMeter(2_000);
  meter.look([one.tells(1_000, { delivered: 100 }), two.tells(1_900, { delivered: 190 })]);
  expect(meter.traffic.delivered_per_second).toBe(200);
  // three tellings of the one, one of the other
  meter.look([one.tells(4_000, { delivered: 400 }), two.tells(2_900, { delivered: 290 })]);
  expect(meter.traffic.delivered_per_second).toBe(200);
  meter.look([one, two]);
  expect(meter.traffic.delivered_per_second).toBe(0);
});

test('a process that ends is counted to its last word and no further; its successor begins at 0', () => {
  const slot = new Slot(1);
  const meter = new TrafficMeter(2_000);
  meter.look([slot.tells(2_000, { delivered: 20, failed: { timeout: 2 } })]);
  slot.tells(3_000, { delivered: 30, failed: { timeout: 3 } });
  slot.restart(3_000);
  meter.look([slot]);
  expect(meter.traffic).toMatchObject({ delivered_per_second: 10, failed_per_second: 1 });
  meter.look([slot.tells(5_000, { delivered: 8 })]);
  expect(meter.traffic.delivered_per_second).toBe(4);
});

test('a slot that was away for long delivers at once what it delivers', () => {
  const slot = new Slot(1);
  const meter = new TrafficMeter(2_000);
  meter.look([slot.tells(2_000, { delivered: 20 })]);
  slot.restart(601_000);
  meter.look([slot.tells(602_000, { delivered: 50 })]);
  expect(meter.traffic.delivered_per_second).toBe(50);
});

test('times are those of the last half minute', () => {
  const slot = new Slot(1);
  const meter = new TrafficMeter(2_000);
  meter.look([slot.tells(1_000, { delivered: 10 })]);
  expect(meter.traffic.delivered).toBe(10);
  expect(meter.traffic.delivery_seconds).toEqual({ p50: 0.0625, p95: 0.0738, p99: 0.0748 });
  for (let look = 2; look <= 15; look++) meter.look([slot]);
  expect(meter.traffic.delivery_seconds).not.toBeNull();
  meter.look([slot]);
  expect(meter.traffic).toMatchObject({
    window_seconds: 30,
    delivered: 0,
    delivery_seconds: null,
    queue_wait_seconds: null,
  });
});

test('no time is longer than the longest that was seen, of whatever process, as long as it counts', () => {
  const [one, two] = [new Slot(1), new Slot(2)];
  const meter = new TrafficMeter(2_000);
  one.tells(1_000, { delivered: 10, highest: 0.06 });
  meter.look([one, two.tells(1_000, { delivered: 10, highest: 0.07 })]);
  expect(meter.traffic.delivery_seconds).toEqual({ p50: 0.0625, p95: 0.07, p99: 0.07 });
  two.restart(1_500);
  for (let look = 1; look < 15; look++)
    meter.look([one.tells(1_000 + look * 2_000, { delivered: 10 + look, highest: 0.06 }), two]);
  expect(meter.traffic.queue_wait_seconds).toEqual({ p50: 0.0625, p95: 0.07, p99: 0.07 });
  for (let look = 15; look < 18; look++)
    meter.look([one.tells(1_000 + look * 2_000, { delivered: 10 + look, highest: 0.06 }), two]);
  expect(meter.traffic.delivery_seconds).toEqual({ p50: 0.06, p95: 0.06, p99: 0.06 });
});

test('a slot whose process has told nothing yet has no traffic', () => {
  const meter = new TrafficMeter(2_000);
  meter.look([new Slot(1)]);
  expect(meter.traffic).toMatchObject({ delivered_per_second: 0, failed_per_second: 0, delivered: 0, failed: 0 });
});

/** The ledger of one slot with one process, and what errors are made of it. */
function watched() {
  const ledger = new CountLedger();
  const children = [new ScriptedChild(), new ScriptedChild()];
  const clock = new VirtualClock();
  const slots = children.map((child, index) => {
    const slot = new WorkerSlot(index + 1);
    slot.current = handleOf(child, clock, `worker-${index + 1}`);
    return slot;
  });
  const errors = new RecentErrors();
  const meter = new TrafficMeter(2_000);
  const look = (now: number) => {
    errors.look(ledger.failures(slots), now);
    meter.look(ledger.bySlot(slots));
    return failingConcerns({ traffic: meter.traffic, errors: errors.list(now), failing: null }).map(({ text }) => text);
  };
  return { children, errors, meter, look };
}

test('errors show the latest message and what of them is recent', () => {
  const { children, errors, look } = watched();
  const at = Date.parse('2026-01-01T00:00:00Z');
  children[0]?.counts({ failed: { timeout: 5 }, at: at + 500, messageId: 'late' });
  children[1]?.counts({ workerId: 'worker-2', failed: { timeout: 1 }, at, messageId: 'early' });
  look(2_000);
  const latest = { last_message_id: 'late', last_worker_id: 'worker-1', last_at: '2026-01-01T00:00:00.500Z' };
  expect(errors.list(2_000)).toEqual([
    { reason: 'timeout', count: 6, recent_count: 6, last_error: 'why timeout', ...latest },
  ]);
  children[1]?.counts({ workerId: 'worker-2', failed: { timeout: 2 }, at: at + 1_000, messageId: 'last' });
  look(4_000);
  expect(errors.list(4_000)).toMatchObject([{ count: 7, recent_count: 7, last_message_id: 'last' }]);
  expect(errors.list(302_001)).toMatchObject([{ count: 7, recent_count: 1 }]);
  expect(errors.list(304_001)).toMatchObject([{ count: 7, recent_count: 0 }]);
});

test('with exactly half of the attempts failing half have failed, whatever is buried', () => {
  const { children, meter, look } = watched();
  children[0]?.counts({ delivered: 100, failed: { http_500: 100 }, buried: { max_attempts_exceeded: 38 }, at: 5 });
  children[1]?.counts({ workerId: 'worker-2', buried: { malformed: 1 }, at: 9 });
  // the latest of what failed, not of what was buried
  expect(look(2_000)).toEqual(['100 of 200 attempts of the last 30 s failed; the latest: why http_500']);
  expect(meter.traffic).toMatchObject({ delivered: 100, failed: 100 });
  expect(meter.traffic.failed_per_second).toBe(meter.traffic.delivered_per_second);
});

test('after a lower WORKER_MAX_ATTEMPTS no attempt was made, so none failed', () => {
  const { children, meter, errors, look } = watched();
  children[0]?.counts({ buried: { max_attempts_exceeded: 10 } });
  expect(look(2_000)).toEqual([]);
  expect(meter.traffic).toMatchObject({ failed_per_second: 0, failed: 0 });
  expect(errors.list(2_000)).toMatchObject([{ reason: 'max_attempts_exceeded', count: 10 }]);
});

test.each([
  { counts: [0, 0, 0], wanted: null },
  { counts: [4, 0, 0], wanted: { p50: 0.5, p95: 0.95, p99: 0.99 } },
  { counts: [2, 2, 0], wanted: { p50: 1, p95: 1.9, p99: 1.98 } },
  // above the last bound nothing is known
  { counts: [0, 0, 9], wanted: { p50: 2, p95: 2, p99: 2 } },
])('quantiles of $counts within 1 and 2', ({ counts, wanted }) => {
  expect(quantilesOf([1, 2], counts)).toEqual(wanted);
  const capped = wanted && {
    p50: Math.min(wanted.p50, 0.9),
    p95: Math.min(wanted.p95, 0.9),
    p99: Math.min(wanted.p99, 0.9),
  };
  expect(quantilesOf([1, 2], counts, 0.9)).toEqual(capped);
});
