/**
 * The worker's metrics, on a registry of their own. Names, types, labels and help of the first eight are the Python
 * worker's; dashboards and alerts made for it go on working.
 *
 * Children of labels are resolved once, and no method throws whatever it is given: metrics never fail a delivery.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { BURIAL_REASONS, type BurialReason } from '../../domain/dead-letters/reasons.js';
import type { FailureReason } from '../../domain/delivery-outcome.js';
import type { HistoryCounts } from '../../domain/history/book.js';
import { COUNTED, type Counts, type LatestFailure } from './counts.js';
import { messageMetrics } from './message-metrics.js';
import type { MetricJson } from './metric-json.js';
import { CountedMetrics, gaugesOf } from './registry-json.js';
import {
  flowMetrics,
  logMetrics,
  redisMetrics,
  registrationMetrics,
  stateMetrics,
  type MetricSources,
  type SkippedKind,
} from './state-metrics.js';

export type ProcessedStatus = 'delivered' | 'failed';

export interface WorkerMetrics {
  readonly registry: Registry;
  /** Each finished attempt. */
  processed(status: ProcessedStatus): void;
  delivered(): void;
  /** Each failed attempt and each burial; `latest` is shown to operators. */
  failed(reason: FailureReason | BurialReason, latest?: FailureDetail): void;
  /** Each attempt that was put down for a retry. */
  retried(): void;
  /** Claims that ended with an acknowledgement. */
  acknowledged(count: number): void;
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
  /** Writes beside settlements that stand, which Redis refused: `telling` = the main server will not hear of a burial. */
  skipped(what: SkippedKind, count: number): void;
  setCertificateNotAfter(file: string, unixSeconds: number): void;
  /** What has been counted since the last call, as it stands now; all of it at the first. */
  counts(): Promise<Counts>;
  gauges(): Promise<readonly MetricJson[]>;
  /** What the history is made of, as it stands now. */
  totals(): HistoryCounts;
}

type FailureDetail = Omit<LatestFailure, 'reason'>;

/**
 * Each look at the lateness of the event loop wakes a worker that rests: with 20 ms these took a quarter of what it took. The
 * metrics of prom-client hold the time from one look to the next, so this is in all of them.
 */
const LAG_LOOK_MS = 100;

export function createWorkerMetrics(workerId: string, sources: MetricSources = {}): WorkerMetrics {
  const registry = new Registry();
  const messages = messageMetrics(registry, workerId, sources.heldMessages);
  const state = stateOf(registry, workerId);
  logMetrics(registry, workerId, sources);
  registrationMetrics(registry, workerId, sources);
  flowMetrics(registry, workerId, sources);
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_LOOK_MS });
  const counted = new CountedMetrics(registry);
  const failures = new Map<string, LatestFailure>();
  const totals = { retried: 0, buried: 0 };

  return {
    registry,
    processed: (status) => void (messages.processed[status === 'delivered' ? status : 'failed'] += 1),
    delivered: () => void (messages.delivered.count += 1),
    failed(reason, latest) {
      const known = messages.failed.has(reason) ? reason : 'other';
      messages.failed.get(known)?.inc();
      if (isBurial(reason)) totals.buried += 1;
      failures.set(known, { reason: known, ...(latest ?? { at: 0, error: '', messageId: '' }) });
    },
    retried() {
      messages.retried.inc();
      totals.retried += 1;
    },
    acknowledged: (count) => ifFinite(count, (value) => void (messages.acknowledged.count += value)),
    observeDelivery: (seconds) => void (Number.isFinite(seconds) && messages.delivery.add(Math.max(0, seconds))),
    observeWait: (seconds) => void (Number.isFinite(seconds) && messages.wait.add(Math.max(0, seconds))),
    setProcessing: (count) => void (Number.isFinite(count) && (messages.processing.now = Math.max(0, count))),
    ...state,
    async counts() {
      const metrics = await counted.changed();
      const latest = [...failures.values()];
      failures.clear();
      return { metrics, failures: latest, highest: highestOf(messages) };
    },
    gauges: () => gaugesOf(registry),
    totals: () => ({
      ...totals,
      delivered: messages.delivered.count,
      failed: messages.processed.failed,
      acknowledged: messages.acknowledged.count,
    }),
  };
}

type StateMetrics = Pick<
  WorkerMetrics,
  'setBreakerOpen' | 'setRedisUp' | 'setEvictionSafe' | 'claimsLost' | 'skipped' | 'setCertificateNotAfter'
>;

function stateOf(registry: Registry, workerId: string): StateMetrics {
  const state = stateMetrics(registry, workerId);
  const redis = redisMetrics(registry, workerId);
  return {
    setBreakerOpen: (open) => state.breakerOpen.set(open ? 1 : 0),
    setRedisUp: (up) => redis.redisUp.set(up ? 1 : 0),
    setEvictionSafe: (safe) => redis.evictionSafe.set({ worker_id: workerId }, safe ? 1 : 0),
    claimsLost: (count) => ifFinite(count, (value) => redis.claimsLost.inc(value)),
    skipped: (what, count) => ifFinite(count, (value) => redis.skipped[what].inc(value)),
    setCertificateNotAfter(file, unixSeconds) {
      const labels = { worker_id: workerId, file: String(file) };
      ifFinite(unixSeconds, (value) => state.certificateNotAfter.set(labels, value));
    },
  };
}

function highestOf({ delivery, wait }: Pick<ReturnType<typeof messageMetrics>, 'delivery' | 'wait'>) {
  const highest: Record<string, number> = {};
  for (const [name, histogram] of [[COUNTED.delivery, delivery] as const, [COUNTED.wait, wait] as const]) {
    const value = histogram.takeHighest();
    if (value !== undefined) highest[name] = value;
  }
  return highest;
}

function isBurial(reason: FailureReason | BurialReason): boolean {
  return BURIAL_REASONS.some((burial) => burial === reason);
}

/** prom-client throws on NaN, on infinities and on counters that would fall. */
function ifFinite(value: number, use: (value: number) => void): void {
  if (Number.isFinite(value)) use(Math.max(0, value));
}
