import { readMetrics, type MetricJson } from './metric-json.js';

/**
 * What a worker process tells the primary that it has counted: about once a second, when it is asked for its gauges, and
 * as its last word. All of it counts from the start of the process and only grows.
 */
export interface Counts {
  /** Counters and histograms. One that counted nothing since the last time is left out. */
  readonly metrics: readonly MetricJson[];
  /** The latest failure of each reason that occurred since the last time. */
  readonly failures: readonly LatestFailure[];
  /** The highest that each histogram observed since the last time, which its buckets do not tell; none = it observed nothing. */
  readonly highest?: Readonly<Record<string, number>>;
}

export interface LatestFailure {
  /** The label of worker_messages_failed_total. */
  readonly reason: string;
  /** In ms since the Unix epoch; 0 = not known. */
  readonly at: number;
  readonly error: string;
  /** As the message has it; empty when it has none. */
  readonly messageId: string;
}

/** The metrics that status and dashboard are made of. All others pass through the primary unread. */
export const COUNTED = {
  processed: 'worker_messages_processed_total',
  delivered: 'worker_messages_delivered_total',
  failed: 'worker_messages_failed_total',
  retried: 'worker_messages_retried_total',
  acknowledged: 'worker_claims_acknowledged_total',
  delivery: 'worker_delivery_duration_seconds',
  wait: 'worker_queue_wait_seconds',
} as const;

/** Upper bounds in seconds. Those of the Python client; prom-client's own lack 0.075, 0.75 and 7.5. */
export const DELIVERY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** A retry comes after 30 s, and an outage can make messages wait for an hour. */
export const WAIT_BUCKETS = [...DELIVERY_BUCKETS, 30, 60, 300, 900, 1800, 3600];

/** Reasons are a closed set; this bounds what another program on the channel could make of it. */
const MOST_FAILURES = 64;

/** undefined = not what a worker writes. */
export function readCounts(value: unknown): Counts | undefined {
  const { metrics, failures, highest } = (value ?? {}) as Partial<Record<keyof Counts, unknown>>;
  if (!Array.isArray(metrics) || !Array.isArray(failures)) return undefined;
  return {
    metrics: readMetrics(metrics).filter(({ type, values }) => type !== 'gauge' && values.every(isCount)),
    failures: failures.filter(isLatestFailure).slice(0, MOST_FAILURES),
    ...readHighest(highest),
  };
}

function readHighest(value: unknown): Pick<Counts, 'highest'> {
  if (typeof value !== 'object' || value === null) return {};
  const known = [COUNTED.delivery, COUNTED.wait].flatMap((name) => {
    const highest = (value as Partial<Record<string, unknown>>)[name];
    return typeof highest === 'number' && highest >= 0 && Number.isFinite(highest) ? [[name, highest] as const] : [];
  });
  return { highest: Object.fromEntries(known) };
}

function isCount({ value }: MetricJson['values'][number]): boolean {
  return value >= 0;
}

function isLatestFailure(value: unknown): value is LatestFailure {
  const { reason, at, error, messageId } = (value ?? {}) as Partial<Record<keyof LatestFailure, unknown>>;
  return [reason, error, messageId].every((text) => typeof text === 'string') && Number.isFinite(at);
}
