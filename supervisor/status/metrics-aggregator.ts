/**
 * The metrics of all children as one page, for those who scrape one port.
 *
 * Every series carries `worker_id`, so nothing of two workers is added up but `worker_active_workers`. What a process
 * counted moves into its slot's base when it is gone, so counters and histograms of a slot never go back; children send
 * what they count each second, so a kill loses a second of it at most. A gauge is shown for the slot's present process
 * only. A child that does not answer within 0.8 s is shown as last known and counted in
 * `supervisor_scrape_missing_workers`; one that is known to hang is not asked. (prom-client's own clusterMetrics() fails as a whole for one hung child.)
 */
import { AggregatorRegistry } from 'prom-client';

import type { WorkerHandle } from '../workers/worker-handle.js';
import type { WorkerSlot } from '../workers/worker-slot.js';

interface Series {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** Of a histogram: `x_bucket`, `x_sum` or `x_count`. */
  readonly metricName?: string;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Series[];
}

/** A scrape takes a second at most, whoever hangs. */
const ANSWER_MS = 800;
const SUMMED_OVER_WORKERS = new Set(['worker_active_workers']);
const MISSING: Omit<Metric, 'values'> = {
  name: 'supervisor_scrape_missing_workers',
  help: 'Workers that did not answer this scrape; their last known values are shown',
  type: 'gauge',
};

export class MetricsAggregator {
  readonly #bases = new Map<number, Map<string, Metric>>();

  /** Prometheus's text format. */
  async scrape(slots: readonly WorkerSlot[]): Promise<string> {
    const asked = slots.flatMap((slot) => slot.processes).filter((handle) => handle.activatedAt !== undefined);
    const answers = await Promise.all(asked.map((handle) => handle.collectMetrics(ANSWER_MS)));
    const missing = answers.filter((answered) => !answered).length;
    const metrics = slots.flatMap((slot) => this.#slotMetrics(slot));
    const all = [...metrics, { ...MISSING, values: [{ value: missing, labels: {} }] }];
    return AggregatorRegistry.aggregate([all.map((metric) => ({ ...metric, aggregator: 'sum' }))]).metrics();
  }

  /** A process of the slot is gone: what it counted stays. */
  retire(handle: WorkerHandle, slot: WorkerSlot): void {
    const base = this.#bases.get(slot.number) ?? new Map<string, Metric>();
    this.#bases.set(slot.number, addUp([...base.values(), ...metricsOf(handle).filter(isCumulative)]));
  }

  #slotMetrics(slot: WorkerSlot): Metric[] {
    const known = slot.processes.flatMap((handle) =>
      metricsOf(handle).filter((metric) => handle === slot.current || isCumulative(metric)),
    );
    return [...addUp([...(this.#bases.get(slot.number)?.values() ?? []), ...known]).values()];
  }
}

function metricsOf(handle: WorkerHandle): Metric[] {
  return [...handle.metrics.values()]
    .map((metric) => readMetric(metric, handle.workerId))
    .filter((metric) => metric !== undefined);
}

function isCumulative({ type }: Metric): boolean {
  return type !== 'gauge';
}

/** By metric name, each series once. */
function addUp(metrics: readonly Metric[]): Map<string, Metric> {
  const result = new Map<string, Metric>();
  for (const metric of metrics) {
    const series = new Map<string, Series>();
    for (const value of [...(result.get(metric.name)?.values ?? []), ...metric.values]) {
      const key = seriesKey(value);
      series.set(key, { ...value, value: value.value + (series.get(key)?.value ?? 0) });
    }
    result.set(metric.name, { ...metric, values: [...series.values()] });
  }
  return result;
}

function seriesKey({ metricName, labels }: Series): string {
  return JSON.stringify([metricName, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** undefined = not a metric as prom-client writes them; values that JSON could not carry (NaN) are left out. */
function readMetric(value: unknown, workerId: string): Metric | undefined {
  const { name, help, type, values } = value as Partial<Record<keyof Metric, unknown>>;
  if (typeof name !== 'string' || typeof help !== 'string' || typeof type !== 'string' || !Array.isArray(values)) {
    return undefined;
  }
  const own = SUMMED_OVER_WORKERS.has(name) ? {} : { worker_id: workerId };
  const series = (values as Partial<Series>[])
    .filter((item): item is Series => typeof item.value === 'number')
    .map((item) => ({ ...item, labels: { ...own, ...item.labels } }));
  return { name, help, type, values: series };
}
