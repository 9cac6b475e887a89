import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { MetricJson, SeriesJson } from './metric-json.js';

/**
 * The counters and histograms of a registry, for the primary. Most of them stand still most of the time, so each is given
 * only when it has counted since the last time: at rest 0.7 KB a second in place of 9.
 */
export class CountedMetrics {
  readonly #registry: Registry;
  readonly #sums = new Map<string, number>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  async changed(): Promise<readonly MetricJson[]> {
    const metrics = await jsonOf(this.#registry, ({ type }) => type !== 'gauge');
    return metrics.filter(({ name, values }) => {
      // what only grows has changed when its sum has
      const sum = values.reduce((total, { value }) => total + value, 0);
      const isNew = sum !== this.#sums.get(name);
      this.#sums.set(name, sum);
      return isNew;
    });
  }
}

/** What is measured anew at each look. Some of it is read from files of /proc. */
export function gaugesOf(registry: Registry): Promise<readonly MetricJson[]> {
  return jsonOf(registry, ({ type }) => type === 'gauge');
}

interface Counted {
  readonly metric: Counter | Gauge | Histogram;
  readonly type: MetricJson['type'];
}

function jsonOf(registry: Registry, isWanted: (counted: Counted) => boolean): Promise<readonly MetricJson[]> {
  const wanted = registry.getMetricsAsArray().flatMap(counted).filter(isWanted);
  return Promise.all(
    wanted.map(async ({ metric, type }) => {
      const { name, help, values } = await metric.get();
      return { name, help, type, values: (values as SeriesJson[]).map(seriesOf) };
    }),
  );
}

/** The types of the registry tell of names alone, and the type that a metric names itself is a word, not their number. */
function counted(metric: unknown): Counted[] {
  if (metric instanceof Counter) return [{ metric, type: 'counter' }];
  if (metric instanceof Histogram) return [{ metric, type: 'histogram' }];
  return metric instanceof Gauge ? [{ metric, type: 'gauge' }] : [];
}

/** prom-client adds exemplars, which we have none of. */
function seriesOf({ labels, value, metricName }: SeriesJson): SeriesJson {
  return { labels, value, ...(metricName !== undefined && { metricName }) };
}
