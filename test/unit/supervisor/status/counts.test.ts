import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COUNTED } from '../../../../src/shared/metrics/counts.js';
import { CountLedger } from '../../../../supervisor/status/counts.js';
import { WorkerPool } from '../../../../supervisor/workers/worker-pool.js';
import { testConfig } from '../../../support/program/config.js';
import { VirtualClock } from '../../../support/virtual-clock.js';
import { ScriptedChild } from '../workers/scripted-child.js';

/** A pool of scripted children, each of which counts deliveries, and the ledger of it. */
class CountedPool {
  readonly clock = new VirtualClock();
  readonly counts = new CountLedger();
  readonly children: ScriptedChild[] = [];
  readonly pool: WorkerPool;
  readonly #delivered = new Map<ScriptedChild, number>();

  constructor(count: number) {
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    this.pool = new WorkerPool({
      config: testConfig({ worker: { count } }),
      log: silent,
      clock: this.clock,
      random: () => 0.5,
      nonce: () => 'abc',
      fork: () => this.#fork(),
      bootAtOnce: 512,
      onChange: () => undefined,
      onGone: (handle, slot) => this.counts.keep(handle, slot),
    });
    this.settle();
  }

  /** Starts what is to be started, and lets it boot. */
  settle(): void {
    this.pool.reconcile(false);
    this.clock.pass(20_000);
    this.pool.reconcile(false);
    for (const child of this.children) {
      child.says({ type: 'hello' });
      child.says({ type: 'booted', redisReached: true });
    }
    this.pool.reconcile(false);
  }

  childOf(slot: number): ScriptedChild | undefined {
    const pid = this.pool.slots.find(({ number }) => number === slot)?.current?.pid;
    return this.children.find((child) => child.pid === pid);
  }

  deliver(slot: number, more: number): void {
    const child = this.childOf(slot);
    if (!child) return;
    const workerId = this.pool.slots.find(({ number }) => number === slot)?.current?.workerId ?? '';
    const delivered = (this.#delivered.get(child) ?? 0) + more;
    this.#delivered.set(child, delivered);
    child.counts({ workerId, delivered });
  }

  /** Another process takes the slot, under another name if there is one. */
  replace(number: number, id = ''): void {
    const slot = this.pool.slots.find((each) => each.number === number);
    if (!slot?.current) return;
    this.pool.adopt(testConfig({ worker: { count: this.pool.target, id } }));
    this.pool.forkIncoming(slot, this.pool.config);
    this.pool.promote(slot);
  }

  scale(count: number): void {
    this.pool.scale(count);
    this.pool.reconcile(false);
    // they drain, and end
    for (const handle of this.pool.processes) {
      if (handle.stage === 'ending') this.children.find(({ pid }) => pid === handle.pid)?.ends({ code: 0 });
    }
    this.settle();
  }

  /** Of /status: in all, and slot by slot. */
  get delivered(): [number, number[]] {
    const { slots } = this.pool;
    return [this.counts.totals(slots).delivered, slots.map((slot) => this.counts.totalsOfSlot(slot).delivered)];
  }

  /** Of /metrics/workers: deliveries by worker_id. */
  get series(): Record<string, number> {
    const metric = this.counts.metrics(this.pool.slots).find(({ name }) => name === COUNTED.delivered);
    const values = metric?.values ?? [];
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels['worker_id']), value]));
  }

  #fork(): ScriptedChild {
    const child = new ScriptedChild(100 + this.children.length);
    this.children.push(child);
    return child;
  }
}

test('scaling 3 → 1 → 3 lets no sum fall, and a slot that comes back goes on', () => {
  const counted = new CountedPool(3);
  for (const slot of [1, 2, 3]) counted.deliver(slot, slot * 10);
  expect(counted.delivered).toEqual([60, [10, 20, 30]]);
  counted.scale(1);
  expect(counted.delivered).toEqual([60, [10]]);
  expect(counted.series).toEqual({ 'worker-1': 10, 'worker-2': 20, 'worker-3': 30 });
  counted.scale(3);
  expect(counted.delivered).toEqual([60, [10, 20, 30]]);
  counted.deliver(3, 1);
  expect(counted.delivered).toEqual([61, [10, 20, 31]]);
  expect(counted.series).toEqual({ 'worker-1': 10, 'worker-2': 20, 'worker-3': 31 });
});

test('a slot goes on under another WORKER_ID; what it counted under the old one stays there', () => {
  const counted = new CountedPool(1);
  counted.deliver(1, 10);
  counted.replace(1, 'renamed');
  counted.settle();
  counted.deliver(1, 5);
  expect(counted.delivered).toEqual([15, [15]]);
  // the old process drains beside its successor, and ends
  counted.children[0]?.counts({ delivered: 12 });
  expect(counted.delivered).toEqual([17, [17]]);
  counted.children[0]?.ends({ code: 0 });
  counted.settle();
  expect(counted.delivered).toEqual([17, [17]]);
  expect(counted.series).toEqual({ 'worker-1': 12, 'renamed-1': 5 });
});

test('a killed process takes what it did not tell, and nothing else', () => {
  const counted = new CountedPool(1);
  counted.deliver(1, 7);
  counted.childOf(1)?.ends({ signal: 'SIGKILL' });
  expect(counted.delivered).toEqual([7, [7]]);
  counted.settle();
  expect(counted.delivered).toEqual([7, [7]]);
  counted.deliver(1, 2);
  expect(counted.delivered).toEqual([9, [9]]);
});

test('the last word of a process counts, also when it is read after its exit', () => {
  const counted = new CountedPool(1);
  counted.deliver(1, 7);
  const child = counted.childOf(1);
  child?.ends({ code: 0 });
  child?.counts({ delivered: 9 });
  counted.settle();
  expect(counted.delivered).toEqual([9, [9]]);
});

test('a word that was overtaken on its way lets nothing fall', () => {
  const counted = new CountedPool(1);
  const child = counted.childOf(1);
  child?.counts({ delivered: 9, failed: { timeout: 2 } });
  child?.counts({ delivered: 8, failed: { timeout: 3 } });
  expect(counted.counts.totals(counted.pool.slots)).toEqual({ processed: 12, delivered: 9, failed: 3, retried: 3 });
});

test('burials are no attempts', () => {
  const counted = new CountedPool(1);
  counted.childOf(1)?.counts({ delivered: 100, failed: { http_500: 100 }, buried: { max_attempts_exceeded: 38 } });
  const { slots } = counted.pool;
  expect(counted.counts.totals(slots)).toEqual({ processed: 200, delivered: 100, failed: 100, retried: 100 });
  const counts = counted.counts.failures(slots).map(({ count, latest: { reason } }) => [reason, count]);
  expect(counts).toEqual([
    ['http_500', 100],
    ['max_attempts_exceeded', 38],
  ]);
});

test('the history is made of all that was counted, the acknowledged and the buried of whatever reason among it', () => {
  const counted = new CountedPool(1);
  const buried = { malformed: 2, poison: 1 };
  counted.childOf(1)?.counts({ delivered: 100, failed: { http_500: 7 }, buried, acknowledged: 98 });
  counted.childOf(1)?.ends({ signal: 'SIGKILL' });
  counted.settle();
  counted.childOf(1)?.counts({ delivered: 1, acknowledged: 1 });
  const expected = { delivered: 101, failed: 7, retried: 7, buried: 3, acknowledged: 99 };
  expect(counted.counts.history(counted.pool.slots)).toEqual(expected);
});

test('whatever happens in whatever order, no sum and no series falls', () => {
  const slot = fc.integer({ min: 1, max: 3 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('deliver' as const), slot, more: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ kind: fc.constant('crash' as const), slot }),
    fc.record({ kind: fc.constant('scale' as const), slot }),
    fc.record({ kind: fc.constant('replace' as const), slot, id: fc.constantFrom('', 'a', 'b') }),
    fc.record({ kind: fc.constant('settle' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const counted = new CountedPool(3);
      let delivered = 0;
      let before: Record<string, number> = {};
      for (const each of steps) {
        if (each.kind === 'deliver') {
          if (counted.childOf(each.slot)) delivered += each.more;
          counted.deliver(each.slot, each.more);
        } else if (each.kind === 'crash') counted.childOf(each.slot)?.ends({ signal: 'SIGKILL' });
        else if (each.kind === 'scale') counted.scale(each.slot);
        else if (each.kind === 'replace') counted.replace(each.slot, each.id);
        else counted.settle();
        expect(counted.delivered[0]).toBe(delivered);
        const now = counted.series;
        for (const [id, count] of Object.entries(before)) expect(now[id]).toBeGreaterThanOrEqual(count);
        before = now;
      }
    }),
    { numRuns: 200 },
  );
});
