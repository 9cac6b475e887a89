import type { StatusDocument } from '../../status/status-document.js';

interface Step {
  readonly delivered: number;
  readonly failed: number;
  readonly waiting: number;
}

/** How it went over the last looks, one value each: what was delivered and failed per second, and what waited. */
export class Course {
  readonly #most: number;
  readonly #steps: Step[] = [];
  #last: { readonly at: number; readonly delivered: number; readonly failed: number; readonly pid: number } | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /** @param at monotonic, ms. */
  add({ supervisor, workers, queue }: StatusDocument, at: number): void {
    const delivered = workers.reduce((sum, worker) => sum + worker.delivered, 0);
    const failed = workers.reduce((sum, worker) => sum + worker.failed, 0);
    const last = this.#last;
    this.#last = { at, delivered, failed, pid: supervisor.pid };
    if (!last || last.pid !== supervisor.pid || at <= last.at) return;
    // fewer than before: a worker was taken away by `scale`, with its count
    const perSecond = (now: number, before: number): number => Math.max(0, ((now - before) * 1_000) / (at - last.at));
    this.#steps.push({
      delivered: perSecond(delivered, last.delivered),
      failed: perSecond(failed, last.failed),
      waiting: queue.waiting ?? 0,
    });
    if (this.#steps.length > this.#most) this.#steps.shift();
  }

  of(what: keyof Step): readonly number[] {
    return this.#steps.map((step) => step[what]);
  }

  /** Deliveries per second at the last look. */
  get now(): number {
    return this.#steps.at(-1)?.delivered ?? 0;
  }
}

const BARS = [...'▁▂▃▄▅▆▇█'];

/** One character per value, the highest value a full bar. */
export function sparkline(values: readonly number[]): string {
  const highest = Math.max(...values, 0);
  if (highest === 0) return (BARS[0] ?? '').repeat(values.length);
  return values.map((value) => BARS[Math.ceil((value / highest) * (BARS.length - 1))] ?? '').join('');
}
