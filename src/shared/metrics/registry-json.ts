import { Counter, Gauge, Histogram, type Metric, type Registry } from 'prom-client';
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
    const metrics = await jsonOf(this.#registry, (metric) => metric instanceof Counter || metric instanceof Histogram);
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
  return jsonOf(registry, (metric) => metric instanceof Gauge);
}

function jsonOf(registry: Registry, isWanted: (metric: Metric) => boolean): Promise<readonly MetricJson[]> {
  // the objects themselves, though the types tell only of their names
  const metrics = (registry.getMetricsAsArray() as unknown as readonly Metric[]).filter(isWanted);
  return Promise.all(
    metrics.map(async (metric) => {
      const { name, help, type, values } = await metric.get();
      return {
        name,
        help,
        type: type as unknown as MetricJson['type'],
        values: (values as SeriesJson[]).map(seriesOf),
      };
    }),
  );
}

/** prom-client adds exemplars, which we have none of. */
function seriesOf({ labels, value, metricName }: SeriesJson): SeriesJson {
  return { labels, value, ...(metricName !== undefined && { metricName }) };
}
