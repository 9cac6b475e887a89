/**
 * The one ledger of what all workers have counted. `/status`, rates, errors and `/metrics/workers` are read from it.
 *
 *   child ──counts, each second──→ its handle's set ──the process is gone──→ its slot's number
 *
 * A process tells how its counts stand since it began. When it is gone they are added to what former processes of its
 * slot counted, by the slot's number: so they go on over a crash, a replacement, another WORKER_ID and a scaling down and
 * up again, and no sum falls while the supervisor lives. A process that is killed takes the counts of a second at most.
 */
import type { HistoryCounts } from '../../src/domain/history/book.js';
import { BURIAL_REASONS } from '../../src/domain/dead-letters/reasons.js';
import { COUNTED } from '../../src/shared/metrics/counts.js';
import type { MetricJson } from '../../src/shared/metrics/metric-json.js';
import { CountSet, type FailureOf } from '../workers/count-set.js';
import type { WorkerHandle } from '../workers/worker-handle.js';
import type { WorkerSlot } from '../workers/worker-slot.js';
import type { CountsStatus } from './status-document.js';

/** All that the processes of one slot ever counted, as it stood `at` that time. */
export interface SlotCounts {
  readonly number: number;
  /** Monotonic ms; -Infinity = none has told anything yet. */
  readonly at: number;
  /** The present process began then, monotonic ms; -Infinity = there is none. */
  readonly since: number;
  readonly sets: readonly CountSet[];
}

/** Every failed attempt and every burial of one reason. */
export interface FailureCount {
  readonly count: number;
  readonly latest: FailureOf;
}

export class CountLedger {
  /** Of processes that are gone, by the number of their slot. */
  readonly #kept = new Map<number, CountSet>();

  /** Called once for each process that is gone, when its slot has forgotten it. */
  keep({ counts }: Pick<WorkerHandle, 'counts'>, { number }: Pick<WorkerSlot, 'number'>): void {
    const kept = this.#kept.get(number) ?? new CountSet();
    kept.add(counts);
    this.#kept.set(number, kept);
  }

  /** Also of slots that were scaled away. @param slots all there are now. */
  bySlot(slots: readonly WorkerSlot[]): readonly SlotCounts[] {
    const present = new Set(slots.map(({ number }) => number));
    const gone = [...this.#kept].filter(([number]) => !present.has(number));
    return [
      ...slots.map((slot) => this.#ofSlot(slot)),
      ...gone.map(([number, set]) => ({ number, at: set.at, since: -Infinity, sets: [set] })),
    ];
  }

  /** Over the life of the supervisor. */
  totals(slots: readonly WorkerSlot[]): CountsStatus {
    return totalsOf(this.#sets(slots));
  }

  totalsOfSlot(slot: WorkerSlot): CountsStatus {
    return totalsOf(this.#ofSlot(slot).sets);
  }

  /** What the history is made of, over the life of the supervisor. */
  history(slots: readonly WorkerSlot[]): HistoryCounts {
    const sets = this.#sets(slots);
    const { delivered, failed, retried } = totalsOf(sets);
    const buried = BURIAL_REASONS.map((reason) => totalOf(sets, COUNTED.failed, { reason }));
    return {
      delivered,
      failed,
      retried,
      buried: buried.reduce((sum, count) => sum + count, 0),
      acknowledged: totalOf(sets, COUNTED.acknowledged),
    };
  }

  failures(slots: readonly WorkerSlot[]): readonly FailureCount[] {
    const counts = new Map<string, number>();
    const latest = new Map<string, FailureOf>();
    for (const set of this.#sets(slots)) {
      for (const [reason, count] of set.totalsBy(COUNTED.failed, 'reason')) {
        counts.set(reason, (counts.get(reason) ?? 0) + count);
      }
      for (const failure of set.failures()) {
        if (failure.at >= (latest.get(failure.reason)?.at ?? 0)) latest.set(failure.reason, failure);
      }
    }
    return [...latest.values()].map((failure) => ({ count: counts.get(failure.reason) ?? 0, latest: failure }));
  }

  /** Counters and histograms, each series once. */
  metrics(slots: readonly WorkerSlot[]): readonly MetricJson[] {
    const sum = new CountSet();
    for (const set of this.#sets(slots)) sum.add(set);
    return sum.metrics();
  }

  #sets(slots: readonly WorkerSlot[]): readonly CountSet[] {
    return this.bySlot(slots).flatMap(({ sets }) => sets);
  }

  #ofSlot({ number, current, processes }: WorkerSlot): SlotCounts {
    const kept = this.#kept.get(number);
    const sets = [...(kept ? [kept] : []), ...processes.map(({ counts }) => counts)];
    const at = Math.max(...sets.map((set) => set.at));
    return { number, at, since: current?.forkedAt ?? -Infinity, sets };
  }
}

export function totalsOf(sets: readonly CountSet[]): CountsStatus {
  return {
    processed: totalOf(sets, COUNTED.processed),
    delivered: totalOf(sets, COUNTED.delivered),
    failed: totalOf(sets, COUNTED.processed, { status: 'failed' }),
    retried: totalOf(sets, COUNTED.retried),
  };
}

function totalOf(sets: readonly CountSet[], name: string, labels?: Readonly<Record<string, string>>): number {
  return sets.reduce((sum, set) => sum + set.total(name, labels), 0);
}
