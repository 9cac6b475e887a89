/**
 * The worker's metrics, on a registry of their own. Names, types, labels and help of the first eight are the Python
 * worker's; dashboards and alerts made for it go on working.
 *
 * Children of labels are resolved once, and no method throws whatever it is given: metrics never fail a delivery.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics, type Metric } from 'prom-client';
import { DEAD_LETTER_REASONS, type DeadLetterReason } from '../../domain/dead-letter.js';
import { FAILURE_REASONS, type FailureReason } from '../../domain/delivery-outcome.js';
import { FixedHistogram } from './histogram.js';
import { DELIVERY_BUCKETS, WAIT_BUCKETS, type FailureTally, type Traffic } from './traffic.js';

type ProcessedStatus = 'delivered' | 'failed';

/** Plain numbers for the heartbeat. */
export interface Totals {
  readonly processed: number;
  readonly delivered: number;
  readonly failed: number;
  readonly retried: number;
}

export interface WorkerMetrics {
  readonly registry: Registry;
  /** Each finished attempt. */
  processed(status: ProcessedStatus): void;
  delivered(): void;
  /** Each failed attempt and each burial; `latest` is shown to operators. */
  failed(reason: FailureReason | DeadLetterReason, latest?: LatestFailure): void;
  /** Each attempt that was put down for a retry. */
  retried(): void;
  observeDelivery(seconds: number): void;
  /** Time in the queue; what a clock that runs ahead makes negative counts as 0. */
  observeWait(seconds: number): void;
  setProcessing(messages: number): void;
  setBreakerOpen(open: boolean): void;
  setRedisUp(up: boolean): void;
  /** Whether Redis can delete the queue to make room. */
  setEvictionSafe(safe: boolean): void;
  /** Claims that turned out to be another consumer's when they were settled. */
  claimsLost(count: number): void;
  setCertificateNotAfter(file: string, unixSeconds: number): void;
  totals(): Totals;
  traffic(): Traffic;
  /** Counters and histograms as prom-client's JSON. */
  counts(): Promise<readonly unknown[]>;
}

type LatestFailure = Pick<FailureTally, 'at' | 'error' | 'messageId'>;

interface MetricSources {
  /** Lines the logger dropped so far; read at each scrape. */
  readonly droppedLogLines?: () => number;
}

export function createWorkerMetrics(workerId: string, sources: MetricSources = {}): WorkerMetrics {
  const registry = new Registry();
  const totals = { processed: 0, delivered: 0, failed: 0, retried: 0 };
  const processed = { delivered: 0, failed: 0 };
  const messages = messageMetrics(registry, workerId, { processed, delivered: () => totals.delivered });
  const state = stateMetrics(registry, workerId);
  logMetrics(registry, workerId, sources);
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 });

  const failures = new Map<string, FailureTally>();

  return {
    registry,
    processed(status) {
      totals.processed += 1;
      processed[status === 'delivered' ? status : 'failed'] += 1;
    },
    delivered: () => void (totals.delivered += 1),
    failed(reason, latest) {
      totals.failed += 1;
      const known = messages.failed.has(reason) ? reason : 'other';
      messages.failed.get(known)?.inc();
      const tally = failures.get(known) ?? { reason: known, count: 0, at: 0, error: '', messageId: '' };
      failures.set(known, { ...tally, ...latest, count: tally.count + 1 });
    },
    retried() {
      totals.retried += 1;
      messages.retried.inc();
    },
    observeDelivery: (seconds) => ifFinite(seconds, (value) => messages.delivery.add(value)),
    observeWait: (seconds) => ifFinite(seconds, (value) => messages.wait.add(value)),
    setProcessing: (count) => ifFinite(count, (value) => (messages.processing.now = value)),
    setBreakerOpen: (open) => state.breakerOpen.set(open ? 1 : 0),
    setRedisUp: (up) => state.redisUp.set(up ? 1 : 0),
    setEvictionSafe: (safe) => state.evictionSafe.set({ worker_id: workerId }, safe ? 1 : 0),
    claimsLost: (count) => ifFinite(count, (value) => state.claimsLost.inc(value)),
    setCertificateNotAfter(file, unixSeconds) {
      ifFinite(unixSeconds, (value) =>
        state.certificateNotAfter.set({ worker_id: workerId, file: String(file) }, value),
      );
    },
    totals: () => ({ ...totals }),
    traffic: () => ({
      deliverySeconds: messages.delivery.counts(),
      waitSeconds: messages.wait.counts(),
      failures: [...failures.values()],
    }),
    counts: () => countsOf(registry),
  };
}

/** Counted for each delivery, so they are plain numbers until a scrape asks: two `inc` took 0.6 of 60 µs. */
interface DeliveryCounts {
  readonly processed: Readonly<Record<ProcessedStatus, number>>;
  readonly delivered: () => number;
}

function countsOf(registry: Registry): Promise<readonly unknown[]> {
  // the objects themselves, though the types tell only of their names
  const metrics = registry.getMetricsAsArray() as unknown as readonly Metric[];
  const counting = metrics.filter((metric) => metric instanceof Counter || metric instanceof Histogram);
  return Promise.all(counting.map((metric) => metric.get()));
}

/** The eight of the Python worker. All series exist from the start: a counter born at 1 shows no increase. */
function messageMetrics(registry: Registry, workerId: string, counts: DeliveryCounts) {
  new Counter({
    name: 'worker_messages_processed_total',
    help: 'Total number of messages processed',
    labelNames: ['worker_id', 'status'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [status, count] of Object.entries(counts.processed)) this.inc({ worker_id: workerId, status }, count);
    },
  });
  new Counter({
    name: 'worker_messages_delivered_total',
    help: 'Total number of messages successfully delivered',
    labelNames: ['worker_id'],
    registers: [registry],
    collect() {
      this.reset();
      this.inc({ worker_id: workerId }, counts.delivered());
    },
  });
  const failed = new Counter({
    name: 'worker_messages_failed_total',
    help: 'Total number of messages that failed delivery',
    labelNames: ['worker_id', 'reason'],
    registers: [registry],
  });
  const retried = new Counter({
    name: 'worker_messages_retried_total',
    help: 'Total number of message retry attempts',
    labelNames: ['worker_id'],
    registers: [registry],
  });
  const reasons = [...FAILURE_REASONS, ...DEAD_LETTER_REASONS];
  new Gauge({
    name: 'worker_active_workers',
    help: 'Number of active worker processes',
    registers: [registry],
  }).set(1);

  return {
    failed: new Map<string, Counter.Internal>(
      reasons.map((reason) => [reason, fromZero(failed.labels(workerId, reason))]),
    ),
    retried: fromZero(retried.labels(workerId)),
    ...durationMetrics(registry, workerId),
  };
}

function durationMetrics(registry: Registry, workerId: string) {
  const labels = { worker_id: workerId };
  const delivery = new FixedHistogram({
    name: 'worker_delivery_duration_seconds',
    help: 'Message delivery duration in seconds',
    buckets: DELIVERY_BUCKETS,
    labels,
    registry,
  });
  const wait = new FixedHistogram({
    name: 'worker_queue_wait_seconds',
    help: 'Time message spent in queue before processing',
    buckets: WAIT_BUCKETS,
    labels,
    registry,
  });
  const processing = { now: 0 };
  new Gauge({
    name: 'worker_processing_messages',
    help: 'Number of messages currently being processed',
    labelNames: ['worker_id'],
    registers: [registry],
    collect() {
      this.set(labels, processing.now);
    },
  });
  return { delivery, wait, processing };
}

function stateMetrics(registry: Registry, workerId: string) {
  const breakerOpen = new Gauge({
    name: 'worker_circuit_breaker_open',
    help: 'Whether the circuit breaker holds deliveries back (1) or not (0)',
    labelNames: ['worker_id'],
    registers: [registry],
  });
  const redisUp = new Gauge({
    name: 'worker_redis_up',
    help: 'Whether Redis answers (1) or not (0)',
    labelNames: ['worker_id'],
    registers: [registry],
  });
  const evictionSafe = new Gauge({
    name: 'worker_redis_eviction_safe',
    help: 'Whether maxmemory-policy is noeviction (1), or Redis may delete the queue (0)',
    labelNames: ['worker_id'],
    registers: [registry],
  });
  const claimsLost = new Counter({
    name: 'worker_claims_lost_total',
    help: 'Total number of claims that had been given to another consumer when they were settled',
    labelNames: ['worker_id'],
    registers: [registry],
  });
  const certificateNotAfter = new Gauge({
    name: 'worker_certificate_not_after_seconds',
    help: 'Unix time at which the certificate in the file expires',
    labelNames: ['worker_id', 'file'],
    registers: [registry],
  });
  breakerOpen.set({ worker_id: workerId }, 0);
  redisUp.set({ worker_id: workerId }, 0);
  return {
    evictionSafe,
    breakerOpen: breakerOpen.labels(workerId),
    redisUp: redisUp.labels(workerId),
    claimsLost: fromZero(claimsLost.labels(workerId)),
    certificateNotAfter,
  };
}

function logMetrics(registry: Registry, workerId: string, sources: MetricSources): void {
  new Counter({
    name: 'worker_log_lines_dropped_total',
    help: 'Total number of log lines that could not be written',
    labelNames: ['worker_id'],
    registers: [registry],
    collect() {
      this.reset();
      this.inc({ worker_id: workerId }, sources.droppedLogLines?.() ?? 0);
    },
  });
}

function fromZero(counter: Counter.Internal): Counter.Internal {
  counter.inc(0);
  return counter;
}

/** prom-client throws on NaN, on infinities and on counters that would fall. */
function ifFinite(value: number, use: (value: number) => void): void {
  if (Number.isFinite(value)) use(Math.max(0, value));
}
