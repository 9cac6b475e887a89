/**
 * Rates and times over all workers, made of the ledger. A count of a slot only grows, so what is new in it since the last
 * look is the difference.
 */
import { COUNTED, DELIVERY_BUCKETS, WAIT_BUCKETS } from '../../src/shared/metrics/counts.js';
import { totalsOf, type SlotCounts } from './counts.js';
import { quantilesOf } from './quantiles.js';
import type { TrafficStatus } from './status-document.js';

/** Looks that counts and quantiles reach back. */
const WINDOW_LOOKS = 15;

export const NO_TRAFFIC: TrafficStatus = {
  delivered_per_second: 0,
  failed_per_second: 0,
  window_seconds: 0,
  delivered: 0,
  failed: 0,
  delivery_seconds: null,
  queue_wait_seconds: null,
};

/** A slot at one look. */
interface Look {
  readonly at: number;
  /** Delivered, failed. */
  readonly attempts: readonly number[];
  readonly delivery: readonly number[];
  readonly wait: readonly number[];
}

const NOTHING: Look = { at: -Infinity, attempts: [], delivery: [], wait: [] };

export class TrafficMeter {
  readonly #lookEveryMs: number;
  #traffic = NO_TRAFFIC;
  #last: ReadonlyMap<number, Look> = new Map();
  readonly #attempts = new SlidingCounts(2, WINDOW_LOOKS);
  readonly #delivery = new SlidingCounts(DELIVERY_BUCKETS.length + 1, WINDOW_LOOKS);
  readonly #wait = new SlidingCounts(WAIT_BUCKETS.length + 1, WINDOW_LOOKS);

  constructor(lookEveryMs: number) {
    this.#lookEveryMs = lookEveryMs;
  }

  /** As of the last look. */
  get traffic(): TrafficStatus {
    return this.#traffic;
  }

  look(slots: readonly SlotCounts[]): void {
    for (const counts of [this.#attempts, this.#delivery, this.#wait]) counts.turn();
    const rates = [0, 0];
    const looks = new Map<number, Look>();
    for (const slot of slots) {
      const now = lookAt(slot);
      const last = this.#last.get(slot.number) ?? NOTHING;
      looks.set(slot.number, now);
      const seconds = (now.at - countedFrom(slot, last)) / 1000;
      const attempts = this.#attempts.add(now.attempts, last.attempts);
      if (seconds > 0) for (const [kind, more] of attempts.entries()) rates[kind] = (rates[kind] ?? 0) + more / seconds;
      this.#delivery.add(now.delivery, last.delivery);
      this.#wait.add(now.wait, last.wait);
    }
    this.#last = looks;
    this.#traffic = this.#described(rates, slots);
  }

  #described([delivered = 0, failed = 0]: readonly number[], slots: readonly SlotCounts[]): TrafficStatus {
    const windowMs = WINDOW_LOOKS * this.#lookEveryMs;
    // what is told just after a look is in the next
    const since = Math.max(...slots.map(({ at }) => at)) - windowMs - this.#lookEveryMs;
    return {
      delivered_per_second: perSecond(delivered),
      failed_per_second: perSecond(failed),
      window_seconds: windowMs / 1000,
      delivered: this.#attempts.sums[0] ?? 0,
      failed: this.#attempts.sums[1] ?? 0,
      delivery_seconds: quantilesOf(DELIVERY_BUCKETS, this.#delivery.sums, highest(COUNTED.delivery, slots, since)),
      queue_wait_seconds: quantilesOf(WAIT_BUCKETS, this.#wait.sums, highest(COUNTED.wait, slots, since)),
    };
  }
}

/**
 * The rate is taken from one telling to the next: they come each second and we look every two, so one more or less is
 * between looks. While there was no process nothing was delivered more slowly.
 */
function countedFrom({ at, since }: SlotCounts, last: Look): number {
  return at > since ? Math.max(last.at, since) : last.at;
}

/** @param since monotonic ms. Infinity = not known. */
function highest(name: string, slots: readonly SlotCounts[], since: number): number {
  const told = slots.flatMap(({ sets }) => sets.map((set) => set.highestSince(name, since)));
  const known = told.filter((value) => value !== undefined);
  return known.length === 0 ? Infinity : Math.max(...known);
}

function lookAt({ at, sets }: SlotCounts): Look {
  const { delivered, failed } = totalsOf(sets);
  const buckets = (name: string, bounds: readonly number[]): number[] =>
    sets.map((set) => set.buckets(name, bounds)).reduce(added, new Array<number>(bounds.length + 1).fill(0));
  return {
    at,
    attempts: [delivered, failed],
    delivery: buckets(COUNTED.delivery, DELIVERY_BUCKETS),
    wait: buckets(COUNTED.wait, WAIT_BUCKETS),
  };
}

function added(counts: readonly number[], more: readonly number[]): number[] {
  return counts.map((count, bucket) => count + (more[bucket] ?? 0));
}

/** Counts per bucket over the last looks. */
class SlidingCounts {
  readonly #sums: number[];
  readonly #looks: number[][];
  #at = 0;

  constructor(buckets: number, looks: number) {
    this.#sums = new Array<number>(buckets).fill(0);
    this.#looks = Array.from({ length: looks }, () => new Array<number>(buckets).fill(0));
  }

  get sums(): readonly number[] {
    return this.#sums;
  }

  /** The oldest look falls out. */
  turn(): void {
    this.#at = (this.#at + 1) % this.#looks.length;
    const oldest = this.#looks[this.#at] ?? [];
    for (const [bucket, count] of oldest.entries()) this.#sums[bucket] = (this.#sums[bucket] ?? 0) - count;
    oldest.fill(0);
  }

  /** Returns what is new. */
  add(counts: readonly number[], before: readonly number[]): number[] {
    const look = this.#looks[this.#at] ?? [];
    return counts.map((count, bucket) => {
      const more = count - (before[bucket] ?? 0);
      look[bucket] = (look[bucket] ?? 0) + more;
      this.#sums[bucket] = (this.#sums[bucket] ?? 0) + more;
      return more;
    });
  }
}

function perSecond(rate: number): number {
  return Math.round(rate * 100) / 100;
}
