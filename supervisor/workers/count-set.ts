import type { Counts, LatestFailure } from '../../src/shared/metrics/counts.js';
import type { MetricJson, SeriesJson } from '../../src/shared/metrics/metric-json.js';

type Labels = SeriesJson['labels'];

interface Counted {
  readonly metric: Omit<MetricJson, 'values'>;
  readonly series: Map<string, SeriesJson>;
}

export interface FailureOf extends LatestFailure {
  readonly workerId: string;
}

/** What one process has counted, or several together. No number in it ever falls. */
export class CountSet {
  readonly #workerId: string;
  readonly #counted = new Map<string, Counted>();
  readonly #failures = new Map<string, FailureOf>();
  #at = -Infinity;

  /** @param workerId for series that have no label `worker_id` of their own; empty = all have. */
  constructor(workerId = '') {
    this.#workerId = workerId;
  }

  /** When a process told of its counts last, monotonic ms; -Infinity = never. */
  get at(): number {
    return this.#at;
  }

  /** A process tells how its counts stand now. One that is less than it was has been overtaken on its way. */
  note({ metrics, failures }: Counts, at: number): void {
    this.#at = at;
    for (const { values, ...metric } of metrics) {
      this.#take(
        metric,
        values.map((one) => this.#named(one)),
        Math.max,
      );
    }
    for (const failure of failures) this.#noteFailure({ ...failure, workerId: this.#workerId });
  }

  /** What another set counted comes on top. */
  add(other: CountSet): void {
    this.#at = Math.max(this.#at, other.at);
    for (const { metric, series } of other.#counted.values()) {
      this.#take(metric, series.values(), (known, more) => known + more);
    }
    for (const failure of other.#failures.values()) this.#noteFailure(failure);
  }

  /** Of all series of a counter that have these labels; 0 when nothing is known of it. */
  total(name: string, labels: Labels = {}): number {
    const wanted = Object.entries(labels);
    let total = 0;
    for (const one of this.#seriesOf(name)) {
      if (wanted.every(([label, value]) => one.labels[label] === value)) total += one.value;
    }
    return total;
  }

  /** Of a counter: the sum for each value of a label. */
  totalsBy(name: string, label: string): ReadonlyMap<string, number> {
    const totals = new Map<string, number>();
    for (const { labels, value } of this.#seriesOf(name)) {
      const key = String(labels[label] ?? '');
      totals.set(key, (totals.get(key) ?? 0) + value);
    }
    return totals;
  }

  /** Of a histogram: observations per bucket, and one more for those above the last; not cumulative. */
  buckets(name: string, bounds: readonly number[]): number[] {
    const upTo = new Map<string, number>();
    for (const { labels, value, metricName } of this.#seriesOf(name)) {
      if (metricName === `${name}_bucket`)
        upTo.set(String(labels['le']), (upTo.get(String(labels['le'])) ?? 0) + value);
    }
    let below = 0;
    return [...bounds, '+Inf'].map((bound) => {
      const all = upTo.get(String(bound)) ?? below;
      const within = all - below;
      below = all;
      return within;
    });
  }

  /** All of it, as prom-client's JSON. */
  metrics(): MetricJson[] {
    return [...this.#counted.values()].map(({ metric, series }) => ({ ...metric, values: [...series.values()] }));
  }

  /** The latest of each reason. */
  failures(): readonly FailureOf[] {
    return [...this.#failures.values()];
  }

  #seriesOf(name: string): Iterable<SeriesJson> {
    return this.#counted.get(name)?.series.values() ?? [];
  }

  #take(metric: Counted['metric'], values: Iterable<SeriesJson>, merge: (known: number, more: number) => number): void {
    const { series } = this.#counted.get(metric.name) ?? { series: new Map<string, SeriesJson>() };
    for (const one of values) {
      const key = seriesKey(one);
      series.set(key, { ...one, value: merge(series.get(key)?.value ?? 0, one.value) });
    }
    this.#counted.set(metric.name, { metric, series });
  }

  #named(series: SeriesJson): SeriesJson {
    return { ...series, labels: { worker_id: this.#workerId, ...series.labels } };
  }

  #noteFailure(failure: FailureOf): void {
    const known = this.#failures.get(failure.reason);
    if (!known || failure.at >= known.at) this.#failures.set(failure.reason, failure);
  }
}

function seriesKey({ metricName, labels }: SeriesJson): string {
  return JSON.stringify([metricName, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
