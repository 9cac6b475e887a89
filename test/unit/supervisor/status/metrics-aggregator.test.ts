import { VirtualClock } from '../../../support/virtual-clock.js';
import { expect, test } from 'vitest';

import { CountLedger } from '../../../../supervisor/status/counts.js';
import { MetricsAggregator } from '../../../../supervisor/status/metrics-aggregator.js';
import type { WorkerHandle } from '../../../../supervisor/workers/worker-handle.js';
import { WorkerSlot } from '../../../../supervisor/workers/worker-slot.js';
import { handleOf, ScriptedChild } from '../workers/scripted-child.js';

interface Sample {
  readonly delivered: number;
  readonly inFlight: number;
}

/** A child at work that answers each question with `sample`; undefined = it does not answer. */
function working(
  workerId: string,
  clock = new VirtualClock(),
): { handle: WorkerHandle; child: AnsweringChild; clock: VirtualClock } {
  const child = new AnsweringChild();
  const handle = handleOf(child, clock, workerId);
  child.says({ type: 'hello' });
  child.says({ type: 'booted', redisReached: true });
  handle.activate();
  return { handle, child, clock };
}

class AnsweringChild extends ScriptedChild {
  sample: Sample | undefined;
  override send(message: Parameters<ScriptedChild['send']>[0]): void {
    super.send(message);
    if (message.type !== 'collect-gauges' || !this.sample) return;
    const { sample } = this;
    setImmediate(() => {
      this.tells(sample);
      this.says({ type: 'gauges', request: message.request, gauges: gaugesOf(sample) });
    });
  }
  /** Unasked, too. */
  tells(sample: Sample): void {
    this.says({ type: 'counts', counts: { metrics: countedOf(sample), failures: [] } });
  }
}

const rest = { help: 'h' };

function countedOf({ delivered }: Sample): unknown[] {
  return [
    { ...rest, name: 'delivered_total', type: 'counter', values: [{ value: delivered, labels: {} }] },
    {
      ...rest,
      name: 'wait_seconds',
      type: 'histogram',
      values: [
        { value: delivered, labels: { le: 1 }, metricName: 'wait_seconds_bucket' },
        { value: delivered * 2, labels: {}, metricName: 'wait_seconds_sum' },
        { value: delivered, labels: {}, metricName: 'wait_seconds_count' },
      ],
    },
  ];
}

function gaugesOf({ inFlight }: Sample): unknown[] {
  return [
    {
      ...rest,
      name: 'in_flight',
      type: 'gauge',
      values: [
        { value: inFlight, labels: {} },
        { value: null, labels: { a: 1 } },
      ],
    },
    { ...rest, name: 'worker_active_workers', type: 'gauge', values: [{ value: 1, labels: {} }] },
    'nonsense',
  ];
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('series of two workers stay apart; only the number of workers is added up', async () => {
  const counts = new CountLedger();
  const aggregator = new MetricsAggregator(counts);
  const slots = [1, 2].map((number) => {
    const slot = new WorkerSlot(number);
    const { handle, child } = working(`worker-${number}`);
    child.sample = { delivered: number * 10, inFlight: number };
    slot.current = handle;
    return slot;
  });
  const lines = linesOf(await aggregator.scrape(slots));
  expect(lines).toContain('delivered_total{worker_id="worker-1"} 10');
  expect(lines).toContain('delivered_total{worker_id="worker-2"} 20');
  expect(lines).toContain('in_flight{worker_id="worker-2"} 2');
  expect(lines).toContain('worker_active_workers 2');
  expect(lines).toContain('supervisor_scrape_missing_workers 0');
});

test('counters and histograms go on over a restart; gauges are those of the present process', async () => {
  const counts = new CountLedger();
  const aggregator = new MetricsAggregator(counts);
  const slot = new WorkerSlot(1);
  const first = working('worker-1');
  first.child.sample = { delivered: 10, inFlight: 3 };
  slot.current = first.handle;
  await aggregator.scrape([slot]);

  first.child.ends({ signal: 'SIGKILL' });
  slot.forget(first.handle);
  counts.keep(first.handle, slot);
  const without = linesOf(await aggregator.scrape([slot]));
  expect(without).toContain('delivered_total{worker_id="worker-1"} 10');
  expect(without.filter((line) => line.startsWith('in_flight'))).toEqual([]);

  // a process that was never scraped, and sent its counts before it died
  const unseen = working('worker-1');
  unseen.child.tells({ delivered: 7, inFlight: 1 });
  unseen.child.ends({ signal: 'SIGKILL' });
  counts.keep(unseen.handle, slot);

  const second = working('worker-1');
  second.child.sample = { delivered: 5, inFlight: 1 };
  slot.current = second.handle;
  const lines = linesOf(await aggregator.scrape([slot]));
  expect(lines).toContain('delivered_total{worker_id="worker-1"} 22');
  expect(lines).toContain('wait_seconds_bucket{worker_id="worker-1",le="1"} 22');
  expect(lines).toContain('wait_seconds_sum{worker_id="worker-1"} 44');
  expect(lines).toContain('in_flight{worker_id="worker-1"} 1');
});

test('counters of a worker that was scaled away stay, its gauges go', async () => {
  const counts = new CountLedger();
  const aggregator = new MetricsAggregator(counts);
  const slots = [1, 2].map((number) => {
    const slot = new WorkerSlot(number);
    const { handle, child } = working(`worker-${number}`);
    child.sample = { delivered: number * 10, inFlight: number };
    slot.current = handle;
    return { slot, handle, child };
  });
  const all = slots.map(({ slot }) => slot);
  expect(linesOf(await aggregator.scrape(all))).toContain('in_flight{worker_id="worker-2"} 2');
  const [, away] = slots;
  away?.child.ends({ code: 0 });
  if (away) {
    away.slot.forget(away.handle);
    counts.keep(away.handle, away.slot);
  }
  const lines = linesOf(await aggregator.scrape(all.slice(0, 1)));
  expect(lines).toContain('delivered_total{worker_id="worker-2"} 20');
  expect(lines).toContain('wait_seconds_count{worker_id="worker-2"} 20');
  expect(lines).toContain('worker_active_workers 1');
  expect(lines.filter((line) => line.startsWith('in_flight'))).toEqual(['in_flight{worker_id="worker-1"} 1']);
});

test('a process that drains beside its successor counts too', async () => {
  const counts = new CountLedger();
  const aggregator = new MetricsAggregator(counts);
  const slot = new WorkerSlot(1);
  for (const delivered of [10, 5]) {
    const { handle, child } = working('worker-1');
    child.sample = { delivered, inFlight: delivered };
    slot.release();
    slot.current = handle;
  }
  const lines = linesOf(await aggregator.scrape([slot]));
  expect(lines).toContain('delivered_total{worker_id="worker-1"} 15');
  expect(lines).toContain('in_flight{worker_id="worker-1"} 5');
});

test('a child that does not answer is shown as last known, and counted', async () => {
  const counts = new CountLedger();
  const aggregator = new MetricsAggregator(counts);
  const slot = new WorkerSlot(1);
  const { handle, child, clock } = working('worker-1');
  child.sample = { delivered: 10, inFlight: 3 };
  slot.current = handle;
  await aggregator.scrape([slot]);
  child.sample = undefined;
  const scraped = aggregator.scrape([slot]);
  await clock.advance(800);
  const lines = linesOf(await scraped);
  expect(lines).toContain('delivered_total{worker_id="worker-1"} 10');
  expect(lines).toContain('supervisor_scrape_missing_workers 1');
});
