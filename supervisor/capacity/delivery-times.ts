/** What running workers know by their own metrics: how long deliveries took, and the CPU time of their processes. */
import type { ControlClient } from '../admin/client.js';

export interface DeliveryTimes {
  readonly count: number;
  readonly meanMs: number;
}

/** Fewer say little. */
const ENOUGH = 20;
/** Fewer, and what a worker does anyway (beats, leases, metrics: 5 ms of CPU a second) counts for more than they do. */
const ENOUGH_FOR_CPU = 1_000;

/** The metrics of all workers of the running supervisor in Prometheus's text format; empty = none runs. */
export function workersPage(client: Pick<ControlClient, 'text'>): Promise<string> {
  return client.text('workerMetrics').catch(() => '');
}

/** Since the workers started; undefined = none runs, or they delivered little. @param page see `workersPage` */
export function deliveryTimesIn(page: string): DeliveryTimes | undefined {
  const count = deliveriesIn(page);
  const seconds = sumOf(page, 'worker_delivery_duration_seconds_sum');
  return count >= ENOUGH ? { count, meanMs: (seconds * 1_000) / count } : undefined;
}

/** CPU time of the workers per message between two pages; undefined = too few messages. */
export function cpuSecondsBetween(before: string, after: string): number | undefined {
  const messages = deliveriesIn(after) - deliveriesIn(before);
  const cpu = sumOf(after, 'process_cpu_seconds_total') - sumOf(before, 'process_cpu_seconds_total');
  return messages >= ENOUGH_FOR_CPU && cpu > 0 ? cpu / messages : undefined;
}

function deliveriesIn(page: string): number {
  return sumOf(page, 'worker_delivery_duration_seconds_count');
}

/** Over all workers. */
function sumOf(page: string, name: string): number {
  return [...page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'gm'))]
    .map(([, value]) => Number(value))
    .reduce((all, one) => all + one, 0);
}
