/**
 * Rates and times over all workers, made of the counts in their beats. A count of a process only grows, so what is new
 * in it since the last look is the difference; a process that is gone is looked at once more.
 */
import type { Beat } from '../../src/shared/ipc.js';
import { DELIVERY_BUCKETS, WAIT_BUCKETS } from '../../src/shared/metrics/traffic.js';
import type { ErrorStatus, TrafficStatus } from './status-document.js';
import { ErrorLedger } from './errors.js';
import { quantilesOf } from './quantiles.js';

/** A process as the meter sees it; the worker handle is one. */
export interface Metered {
  readonly workerId: string;
  readonly beat: Beat | undefined;
  /** Monotonic ms. */
  readonly beatAt: number;
  readonly forkedAt: number;
}

/** Looks that the quantiles reach back. */
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

interface Read {
  readonly beat: Beat | undefined;
  readonly at: number;
}

export class TrafficMeter {
  readonly #lookEveryMs: number;
  traffic: TrafficStatus = NO_TRAFFIC;
  readonly #errors = new ErrorLedger();
  #read = new Map<Metered, Read>();
  readonly #delivery = new SlidingCounts(DELIVERY_BUCKETS.length + 1, WINDOW_LOOKS);
  readonly #wait = new SlidingCounts(WAIT_BUCKETS.length + 1, WINDOW_LOOKS);
  /** Delivered, failed. */
  readonly #attempts = new SlidingCounts(2, WINDOW_LOOKS);

  constructor(lookEveryMs: number) {
    this.#lookEveryMs = lookEveryMs;
  }

  /** @param processes all that live. @param now monotonic ms. */
  look(processes: readonly Metered[], now: number): void {
    const seen = new Map<Metered, Read>();
    const rates = { delivered: 0, failed: 0 };
    for (const counts of [this.#delivery, this.#wait, this.#attempts]) counts.turn();
    for (const process of new Set([...processes, ...this.#read.keys()])) {
      const last = this.#read.get(process) ?? { beat: undefined, at: process.forkedAt };
      this.#add(process, last, rates, now);
      seen.set(process, { beat: process.beat, at: process.beat === last.beat ? last.at : process.beatAt });
    }
    const living = new Set(processes);
    this.#read = new Map([...seen].filter(([process]) => living.has(process)));
    this.traffic = {
      delivered_per_second: perSecond(rates.delivered),
      failed_per_second: perSecond(rates.failed),
      window_seconds: (WINDOW_LOOKS * this.#lookEveryMs) / 1000,
      delivered: this.#attempts.sums[0] ?? 0,
      failed: this.#attempts.sums[1] ?? 0,
      delivery_seconds: quantilesOf(DELIVERY_BUCKETS, this.#delivery.sums),
      queue_wait_seconds: quantilesOf(WAIT_BUCKETS, this.#wait.sums),
    };
  }

  errors(now: number): readonly ErrorStatus[] {
    return this.#errors.list(now);
  }

  /** The rate is taken between beats: they come each second and we look every two, so one more or less is between looks. */
  #add(
    { workerId, beat, beatAt }: Metered,
    last: Read,
    rates: { delivered: number; failed: number },
    now: number,
  ): void {
    if (!beat || beat === last.beat) return;
    const seconds = Math.max(beatAt - last.at, 1) / 1000;
    const delivered = beat.delivered - (last.beat?.delivered ?? 0);
    const failed = beat.failed - (last.beat?.failed ?? 0);
    rates.delivered += delivered / seconds;
    rates.failed += failed / seconds;
    this.#attempts.add([delivered, failed], undefined);
    if (!beat.traffic) return;
    const before = last.beat?.traffic;
    this.#delivery.add(beat.traffic.deliverySeconds, before?.deliverySeconds);
    this.#wait.add(beat.traffic.waitSeconds, before?.waitSeconds);
    this.#errors.add(workerId, beat.traffic.failures, before?.failures, now);
  }
}

/** Counts per bucket over the last looks. */
class SlidingCounts {
  readonly sums: number[];
  readonly #looks: number[][];
  #at = 0;

  constructor(buckets: number, looks: number) {
    this.sums = new Array<number>(buckets).fill(0);
    this.#looks = Array.from({ length: looks }, () => new Array<number>(buckets).fill(0));
  }

  /** The oldest look falls out. */
  turn(): void {
    this.#at = (this.#at + 1) % this.#looks.length;
    const oldest = this.#looks[this.#at] ?? [];
    for (const [bucket, count] of oldest.entries()) this.sums[bucket] = (this.sums[bucket] ?? 0) - count;
    oldest.fill(0);
  }

  add(counts: readonly number[], before: readonly number[] | undefined): void {
    const look = this.#looks[this.#at] ?? [];
    for (const [bucket, count] of counts.entries()) {
      const more = count - (before?.[bucket] ?? 0);
      if (more === 0) continue;
      look[bucket] = (look[bucket] ?? 0) + more;
      this.sums[bucket] = (this.sums[bucket] ?? 0) + more;
    }
  }
}

function perSecond(rate: number): number {
  return Math.round(rate * 100) / 100;
}
