/**
 * The metrics of all workers as one page, for those who scrape one port.
 *
 * Counters and histograms are the ledger's: they carry the `worker_id` under which they were counted, and stay when that
 * worker is renamed or scaled away. A gauge is shown for a slot's present process only, and goes with it. Every series
 * carries `worker_id`, so nothing of two workers is added up but `worker_active_workers`. A child that does not answer
 * within 0.8 s is shown as last known and counted in `supervisor_scrape_missing_workers`; one that is known to hang is not
 * asked. (prom-client's own clusterMetrics() fails as a whole for one hung child.)
 */
import { AggregatorRegistry } from 'prom-client';
import type { MetricJson } from '../../src/shared/metrics/metric-json.js';
import type { WorkerHandle } from '../workers/worker-handle.js';
import type { WorkerSlot } from '../workers/worker-slot.js';
import type { CountLedger } from './counts.js';

/** A scrape takes a second at most, whoever hangs. */
const ANSWER_MS = 800;
const SUMMED_OVER_WORKERS = new Set(['worker_active_workers']);
const MISSING: Omit<MetricJson, 'values'> = {
  name: 'supervisor_scrape_missing_workers',
  help: 'Workers that did not answer this scrape; their last known values are shown',
  type: 'gauge',
};

export class MetricsAggregator {
  readonly #counts: CountLedger;

  constructor(counts: CountLedger) {
    this.#counts = counts;
  }

  /** Prometheus's text format. */
  async scrape(slots: readonly WorkerSlot[]): Promise<string> {
    const asked = slots.flatMap((slot) => slot.processes).filter((handle) => handle.activatedAt !== undefined);
    const answers = await Promise.all(asked.map((handle) => handle.gauges.ask(ANSWER_MS)));
    const missing = answers.filter((answer) => answer === undefined).length;
    const gauges = slots.flatMap(({ current }) => (current ? gaugesOf(current) : []));
    const all = [...this.#counts.metrics(slots), ...gauges, { ...MISSING, values: [{ value: missing, labels: {} }] }];
    return AggregatorRegistry.aggregate([all.map((metric) => ({ ...metric, aggregator: 'sum' }))]).metrics();
  }
}

function gaugesOf({ gauges, workerId }: WorkerHandle): MetricJson[] {
  return (gauges.last ?? [])
    .filter(({ type }) => type === 'gauge')
    .map((metric) => {
      const own = SUMMED_OVER_WORKERS.has(metric.name) ? {} : { worker_id: workerId };
      return { ...metric, values: metric.values.map((one) => ({ ...one, labels: { ...own, ...one.labels } })) };
    });
}
