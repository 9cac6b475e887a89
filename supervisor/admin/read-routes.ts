import type { Route } from './route.js';
import { healthOf } from '../status/health.js';
import type { MetricsAggregator } from '../status/metrics-aggregator.js';
import { readinessOf } from '../status/readiness.js';
import type { StatusDocument } from '../status/status-document.js';
import type { SupervisorMetrics } from '../status/supervisor-metrics.js';
import type { WorkerSlot } from '../workers/worker-slot.js';

export interface Sights {
  readonly status: () => StatusDocument;
  readonly slots: () => readonly WorkerSlot[];
  readonly metrics: SupervisorMetrics;
  readonly workerMetrics: MetricsAggregator;
}

/** What can be read about the supervisor. All of it is safe to show to whoever may connect. */
export function readRoutes({ status, slots, metrics, workerMetrics }: Sights): readonly Route[] {
  const { contentType } = metrics;
  const scrapeWorkers = shared(() => workerMetrics.scrape(slots()));
  const open = (path: string, answer: Route['answer']): Route => ({ method: 'GET', path, access: 'open', answer });
  return [
    open('/health', () => healthOf(status())),
    open('/ready', () => readinessOf(status())),
    open('/status', () => ({ status: 200, body: status() })),
    open('/metrics', async () => ({ status: 200, body: await metrics.scrape(status()), contentType })),
    open('/metrics/workers', async () => ({ status: 200, body: await scrapeWorkers(), contentType })),
  ];
}

/** Who asks while an answer is being made gets the same one: scrapes cost the children time that belongs to deliveries. */
function shared<T>(make: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => (running ??= make().finally(() => (running = undefined)));
}
