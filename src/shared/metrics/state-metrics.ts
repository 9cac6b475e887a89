/** How a worker is, beside what it did with messages. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { FLOW_HOLDS, type FlowFacts } from '../../domain/flow/flow-control.js';
import { fromZero } from './message-metrics.js';

/**
 * `telling`: the main server will not hear of a burial. `index`: a dead letter lies where earlier versions keep them.
 * `failure`: a failed attempt is not kept with its message, `failure_count`: nor counted among those of its hour.
 */
export type SkippedKind = 'telling' | 'index' | 'failure' | 'failure_count';

export interface MetricSources {
  /** Lines the logger dropped so far; read at each scrape. */
  readonly droppedLogLines?: () => number;
  /** Messages that wait for their registration. */
  readonly heldMessages?: () => number;
  /** The age at which most are registered. */
  readonly registrationLagMs?: () => number;
  /** Of the moment; read at each scrape. */
  readonly flow?: () => FlowFacts;
}

const UNKNOWN_FLOW = (): FlowFacts => ({ limit: 0, heldBy: 'demand' });

export function stateMetrics(registry: Registry, workerId: string) {
  const breakerOpen = new Gauge({
    name: 'worker_circuit_breaker_open',
    help: 'Whether the circuit breaker holds deliveries back (1) or not (0)',
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
  return { breakerOpen: breakerOpen.labels(workerId), certificateNotAfter };
}

export function redisMetrics(registry: Registry, workerId: string) {
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
  redisUp.set({ worker_id: workerId }, 0);
  return {
    redisUp: redisUp.labels(workerId),
    evictionSafe,
    claimsLost: fromZero(claimsLost.labels(workerId)),
    skipped: skippedMetrics(registry, workerId),
  };
}

function skippedMetrics(registry: Registry, workerId: string): Record<SkippedKind, Counter.Internal> {
  const skipped = new Counter({
    name: 'worker_redis_writes_skipped_total',
    help: 'Total number of writes beside a settlement that Redis refused; the settlement stands',
    labelNames: ['worker_id', 'what'],
    registers: [registry],
  });
  const of = (kind: SkippedKind): Counter.Internal => fromZero(skipped.labels(workerId, kind));
  return {
    telling: of('telling'),
    index: of('index'),
    failure: of('failure'),
    failure_count: of('failure_count'),
  };
}

export function flowMetrics(registry: Registry, workerId: string, { flow = UNKNOWN_FLOW }: MetricSources): void {
  new Gauge({
    name: 'worker_concurrency_limit',
    help: 'How many deliveries this worker may have in flight now',
    labelNames: ['worker_id'],
    registers: [registry],
    collect() {
      this.set({ worker_id: workerId }, flow().limit);
    },
  });
  new Gauge({
    name: 'worker_concurrency_limit_held_by',
    help: 'What holds that limit: 1 for the one that does, 0 for the others',
    labelNames: ['worker_id', 'by'],
    registers: [registry],
    collect() {
      const { heldBy } = flow();
      for (const by of FLOW_HOLDS) this.set({ worker_id: workerId, by }, by === heldBy ? 1 : 0);
    },
  });
}

export function logMetrics(registry: Registry, workerId: string, sources: MetricSources): void {
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

export function registrationMetrics(registry: Registry, workerId: string, sources: MetricSources): void {
  new Gauge({
    name: 'worker_registration_lag_seconds',
    help: 'Time after which most messages are registered with the main server, as learned',
    labelNames: ['worker_id'],
    registers: [registry],
    collect() {
      this.set({ worker_id: workerId }, (sources.registrationLagMs?.() ?? 0) / 1000);
    },
  });
  new Gauge({
    name: 'worker_held_messages',
    help: 'Number of messages that wait until they are registered with the main server',
    labelNames: ['worker_id'],
    registers: [registry],
    collect() {
      this.set({ worker_id: workerId }, sources.heldMessages?.() ?? 0);
    },
  });
}
