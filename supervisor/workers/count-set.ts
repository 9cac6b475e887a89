import type { Counts, LatestFailure } from '../../src/shared/metrics/counts.js';
import type { MetricJson, SeriesJson } from '../../src/shared/metrics/metric-json.js';

type Labels = SeriesJson['labels'];

interface Counted {
  readonly metric: Omit<MetricJson, 'values'>;
  readonly series: Map<string, Series>;
}

interface Series extends SeriesJson {
  value: number;
}

/** Longer than anybody looks back. */
const HIGHEST_KEPT_MS = 60_000;

interface Highest {
  /** When it was told, monotonic ms. */
  readonly at: number;
  readonly value: number;
}

export interface FailureOf extends LatestFailure {
  readonly workerId: string;
}

/** What one process has counted, or several together. No number in it ever falls. */
export class CountSet {
  readonly #workerId: string;
  readonly #counted = new Map<string, Counted>();
  readonly #failures = new Map<string, FailureOf>();
  readonly #highest = new Map<string, Highest[]>();
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
  note({ metrics, failures, highest = {} }: Counts, at: number): void {
    this.#at = at;
    for (const [name, value] of Object.entries(highest)) this.#noteHighest(name, [{ at, value }]);
    for (const { values, ...metric } of metrics) {
      const series = this.#series(metric);
      for (const one of values) {
        const key = seriesKey(one);
        const known = series.get(key);
        if (known) known.value = Math.max(known.value, one.value);
        else series.set(key, { ...one, labels: { worker_id: this.#workerId, ...one.labels } });
      }
    }
    for (const failure of failures) this.#noteFailure({ ...failure, workerId: this.#workerId });
  }

  /** What another set counted comes on top. */
  add(other: CountSet): void {
    this.#at = Math.max(this.#at, other.at);
    for (const { metric, series: more } of other.#counted.values()) {
      const series = this.#series(metric);
      for (const one of more.values()) {
        const key = seriesKey(one);
        const known = series.get(key);
        if (known) known.value += one.value;
        else series.set(key, { ...one });
      }
    }
    for (const failure of other.#failures.values()) this.#noteFailure(failure);
    for (const [name, highest] of other.#highest) this.#noteHighest(name, highest);
  }

  /** The highest that a histogram is known to have observed since then; undefined = none is known. */
  highestSince(name: string, at: number): number | undefined {
    const values = (this.#highest.get(name) ?? []).filter((told) => told.at >= at).map(({ value }) => value);
    return values.length === 0 ? undefined : Math.max(...values);
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

  #series(metric: Counted['metric']): Counted['series'] {
    const known = this.#counted.get(metric.name);
    if (known) return known.series;
    const series: Counted['series'] = new Map();
    this.#counted.set(metric.name, { metric, series });
    return series;
  }

  #noteHighest(name: string, told: readonly Highest[]): void {
    const all = [...(this.#highest.get(name) ?? []), ...told];
    const newest = Math.max(...all.map(({ at }) => at));
    this.#highest.set(
      name,
      all.filter(({ at }) => newest - at <= HIGHEST_KEPT_MS),
    );
  }

  #noteFailure(failure: FailureOf): void {
    const known = this.#failures.get(failure.reason);
    if (!known || failure.at >= known.at) this.#failures.set(failure.reason, failure);
  }
}

/** Built by hand: it is made for each series of each worker each second. */
function seriesKey({ metricName = '', labels }: SeriesJson): string {
  let key = metricName;
  for (const label of Object.keys(labels).sort()) key += `\0${label}\0${labels[label]}`;
  return key;
}
