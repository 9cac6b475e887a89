import type { StatusDocument } from '../../status/status-document.js';

/** Deliveries per second over the last looks, one value each. */
export class Throughput {
  readonly #most: number;
  readonly #rates: number[] = [];
  #last: { readonly at: number; readonly delivered: number; readonly pid: number } | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /** @param at monotonic, ms. */
  add({ supervisor, workers }: StatusDocument, at: number): void {
    const delivered = workers.reduce((sum, worker) => sum + worker.delivered, 0);
    const last = this.#last;
    this.#last = { at, delivered, pid: supervisor.pid };
    if (!last || last.pid !== supervisor.pid || at <= last.at) return;
    // fewer than before: a worker was taken away by `scale`, with its count
    this.#rates.push(Math.max(0, ((delivered - last.delivered) * 1_000) / (at - last.at)));
    if (this.#rates.length > this.#most) this.#rates.shift();
  }

  get rates(): readonly number[] {
    return this.#rates;
  }

  get now(): number {
    return this.#rates.at(-1) ?? 0;
  }
}

const BARS = [...'▁▂▃▄▅▆▇█'];

/** One character per value, the highest value a full bar. */
export function sparkline(values: readonly number[]): string {
  const highest = Math.max(...values, 0);
  if (highest === 0) return (BARS[0] ?? '').repeat(values.length);
  return values.map((value) => BARS[Math.ceil((value / highest) * (BARS.length - 1))] ?? '').join('');
}
