/**
 * The last half hour in steps of two seconds, kept whether or not anybody looks: who opens the page at night sees how it
 * came to this. 900 samples of 11 numbers are some 80 KB.
 */
import type { StatusDocument } from './status-document.js';
import type { Sample, SampleColumns, SampleField } from './status-events.js';

const MOST_SAMPLES = 900;

export class History {
  readonly #samples: Sample[] = [];
  #total = 0;

  /** How many samples there ever were. */
  get total(): number {
    return this.#total;
  }

  add(sample: Sample): void {
    this.#total += 1;
    this.#samples.push(sample);
    // in bulk: shifting an array costs its length
    if (this.#samples.length >= MOST_SAMPLES + 100) this.#samples.splice(0, 100);
  }

  /** Those after the first `total` ones, as far as they are kept, one array per field. */
  since(total: number): SampleColumns {
    const kept = Math.min(this.#samples.length, MOST_SAMPLES, this.#total - total);
    const samples = kept > 0 ? this.#samples.slice(-kept) : [];
    return columnsOf(samples);
  }
}

function columnsOf(samples: readonly Sample[]): SampleColumns {
  const column = <Field extends SampleField>(field: Field) => samples.map((sample) => sample[field]);
  return {
    at: column('at'),
    delivered_per_second: column('delivered_per_second'),
    failed_per_second: column('failed_per_second'),
    delivery_p50: column('delivery_p50'),
    delivery_p95: column('delivery_p95'),
    wait_p50: column('wait_p50'),
    wait_p95: column('wait_p95'),
    waiting: column('waiting'),
    retrying: column('retrying'),
    dead: column('dead'),
    cpu_percent: column('cpu_percent'),
    memory_bytes: column('memory_bytes'),
  };
}

/** @param at ms since the Unix epoch. */
export function sampleOf({ queue, traffic, workers }: StatusDocument, at: number): Sample {
  return {
    at: Math.round(at / 100) / 10,
    delivered_per_second: traffic.delivered_per_second,
    failed_per_second: traffic.failed_per_second,
    delivery_p50: traffic.delivery_seconds?.p50 ?? null,
    delivery_p95: traffic.delivery_seconds?.p95 ?? null,
    wait_p50: traffic.queue_wait_seconds?.p50 ?? null,
    wait_p95: traffic.queue_wait_seconds?.p95 ?? null,
    waiting: queue.waiting,
    retrying: queue.retrying,
    dead: queue.dead,
    cpu_percent: sum(workers.map((worker) => worker.cpu_percent)),
    memory_bytes: sum(workers.map((worker) => worker.memory_bytes)),
  };
}

/** null when none is known. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.round(known.reduce((total, value) => total + value, 0));
}
