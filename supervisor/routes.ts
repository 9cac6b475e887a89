import type { Routes } from './admin-server.js';
import { healthOf, readinessOf, type StatusDocument } from './health.js';
import type { MetricsAggregator } from './metrics-aggregator.js';
import type { SupervisorMetrics } from './supervisor-metrics.js';
import type { WorkerSlot } from './worker-slot.js';

export interface Sights {
  readonly status: () => StatusDocument;
  readonly slots: () => readonly WorkerSlot[];
  readonly metrics: SupervisorMetrics;
  readonly workerMetrics: MetricsAggregator;
}

/** What can be read about the supervisor. All of it is safe to show to whoever may connect. */
export function readRoutes({ status, slots, metrics, workerMetrics }: Sights): Routes {
  const { contentType } = metrics;
  return {
    '/health': { GET: () => healthOf(status()) },
    '/ready': { GET: () => readinessOf(status()) },
    '/status': { GET: () => ({ status: 200, body: status() }) },
    '/metrics': { GET: async () => ({ status: 200, body: await metrics.scrape(status()), contentType }) },
    '/metrics/workers': { GET: async () => ({ status: 200, body: await workerMetrics.scrape(slots()), contentType }) },
  };
}
