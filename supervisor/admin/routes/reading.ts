import { healthOf } from '../../status/documents/health.js';
import type { MetricsAggregator } from '../../status/metrics-aggregator.js';
import { readinessOf } from '../../status/documents/readiness.js';
import type { StatusDocument } from '../../status/status-document.js';
import type { SupervisorMetrics } from '../../status/supervisor-metrics.js';
import type { WorkerSlot } from '../../workers/worker-slot.js';
import { route, shared, type Route } from '../route.js';

interface ReadRoutesOptions {
  readonly status: () => StatusDocument;
  readonly slots: () => readonly WorkerSlot[];
  readonly metrics: SupervisorMetrics;
  readonly workerMetrics: MetricsAggregator;
}

/** What can be read about the supervisor. All of it is safe to show to whoever may connect. */
export function readRoutes({ status, slots, metrics, workerMetrics }: ReadRoutesOptions): readonly Route[] {
  const { contentType } = metrics;
  return [
    route('health', () => healthOf(status())),
    route('ready', () => readinessOf(status())),
    route('status', () => ({ status: 200, body: status() })),
    route('metrics', async () => ({ status: 200, body: await metrics.scrape(status()), contentType })),
    route('workerMetrics', async () => ({ status: 200, body: await workerMetrics.scrape(slots()), contentType })),
  ].map(shared);
}
