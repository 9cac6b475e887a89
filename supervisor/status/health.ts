/** What the supervisor says about itself and its workers: the documents of /status, /health and /ready. Pure. */
import { BACKLOG_MESSAGES, backlogOf, CAUSE, certificateExpired } from '../../src/shared/words/causes.js';
import { failingAttempts } from './failing-attempts.js';
import type { QueueSight } from '../queue/queue-monitor.js';
import type { ReloadResult } from '../rollout/reload.js';
import type { Usage } from '../workers/resource-monitor.js';
import type {
  CertificateStatus,
  ErrorStatus,
  HealthDocument,
  ReadinessDocument,
  ShownState,
  StatusDocument,
  SupervisorState,
  TrafficStatus,
  WorkerStatus,
} from './status-document.js';
import type { WorkerHandle } from '../workers/worker-handle.js';
import type { WorkerSlot } from '../workers/worker-slot.js';

export { SHOWN_STATES } from './status-document.js';
export type { ShownState, StatusDocument, SupervisorState, WorkerStatus } from './status-document.js';

/** The only maxmemory-policy under which Redis cannot delete the queue to make room. */
export const NO_EVICTION = 'noeviction';

export interface SupervisorFacts {
  readonly now: number;
  /** Milliseconds since the Unix epoch. */
  readonly wallNow: number;
  readonly startedAt: number;
  readonly version: string;
  readonly state: SupervisorState;
  readonly workersWanted: number;
  readonly lastReload: ReloadResult | undefined;
  readonly reloads: { readonly ok: number; readonly failed: number };
  readonly reasons: readonly string[];
  readonly slots: readonly WorkerSlot[];
  /** Id and metrics port of a slot that has no process. */
  readonly identity: (slot: number) => { readonly workerId: string; readonly metricsPort: number };
  readonly usage: (pid: number) => Usage | undefined;
  readonly queueName: string;
  readonly redisUp: boolean;
  readonly queue: QueueSight | undefined;
  readonly traffic: TrafficStatus;
  readonly errors: readonly ErrorStatus[];
  readonly evictionPolicy: string | undefined;
}

export function statusDocument(facts: SupervisorFacts): StatusDocument {
  const { lastReload, queue } = facts;
  return {
    supervisor: {
      pid: process.pid,
      version: facts.version,
      state: facts.state,
      uptime_seconds: seconds(facts.now - facts.startedAt),
      workers_wanted: facts.workersWanted,
      last_reload: lastReload ? { ...lastReload, reason: lastReload.reason ?? null } : null,
      reloads_succeeded: facts.reloads.ok,
      reloads_failed: facts.reloads.failed,
      reasons: facts.reasons,
    },
    workers: facts.slots.map((slot) => workerStatus(slot, facts)),
    queue: {
      name: facts.queueName,
      redis_up: facts.redisUp,
      waiting: queue?.waiting ?? null,
      processing: queue?.processing ?? null,
      retrying: queue?.retrying ?? null,
      dead: queue?.dead ?? null,
      oldest_wait_seconds: queue?.oldestWaitSeconds ?? null,
      eviction_policy: facts.evictionPolicy ?? null,
    },
    traffic: facts.traffic,
    errors: facts.errors,
    certificates: certificatesOf(facts),
  };
}

/** 503 when no worker process is at work and none is on its way, or we are stopping: a restart of us may help. */
export function healthOf(status: StatusDocument): { readonly status: number; readonly body: HealthDocument } {
  const { state } = status.supervisor;
  const alive = status.workers.some(({ state: worker }) => worker !== 'backoff' && worker !== 'draining');
  const failing = state === 'stopping' || (!alive && status.workers.length > 0);
  const troubles = troublesOf(status);
  return {
    status: failing ? 503 : 200,
    body: {
      status: failing ? 'unhealthy' : troubles.length > 0 ? 'degraded' : 'healthy',
      supervisor: { pid: status.supervisor.pid, state, uptime_seconds: status.supervisor.uptime_seconds },
      workers: status.workers.map(({ id, pid, state: worker, reasons }) => ({ id, pid, state: worker, reasons })),
      reasons: troubles,
    },
  };
}

/**
 * 200 only while somebody consumes, Redis answers and the breaker is not open everywhere; else the reasons. `warnings` are
 * troubles that do not stop delivery.
 */
export function readinessOf(status: StatusDocument): { readonly status: number; readonly body: ReadinessDocument } {
  const reasons = whyNotReady(status);
  const warnings = troublesOf(status).filter((trouble) => !reasons.includes(trouble));
  return { status: reasons.length === 0 ? 200 : 503, body: { ready: reasons.length === 0, reasons, warnings } };
}

function whyNotReady(status: StatusDocument): string[] {
  const { supervisor, workers, queue } = status;
  const reasons: string[] = [];
  if (supervisor.state === 'stopping') reasons.push('the supervisor is stopping');
  // The workers' word counts too: they have connections of their own.
  if (!queue.redis_up && !workers.some((worker) => worker.redis_up)) reasons.push(CAUSE.redis);
  const beating = workers.filter((worker) => worker.breaker !== null);
  if (beating.length > 0 && beating.every((worker) => worker.breaker === 'open')) {
    reasons.push(`the circuit breaker is open in every worker: the ${CAUSE.mainServer}`);
    reasons.push(...expiredCertificates(status));
  }
  if (!workers.some((worker) => worker.consuming)) {
    reasons.push('no worker takes messages');
    for (const { id, state, reasons: why } of workers) reasons.push([`${id} is ${state}`, ...why].join(': '));
  }
  return reasons;
}

/** What is wrong with the whole first, with single workers then. */
function troublesOf(status: StatusDocument): string[] {
  const { supervisor, workers, queue } = status;
  const ofWorkers = workers
    // a start after a crash is trouble until it succeeds; the first one is not
    .filter(
      ({ state, reasons }) =>
        state === 'degraded' || state === 'backoff' || (state === 'starting' && reasons.length > 0),
    )
    .map(({ id, state, reasons }) => [`${id} is ${state}`, ...reasons].join(': '));
  const waiting = queue.waiting ?? 0;
  const policy = queue.eviction_policy ?? NO_EVICTION;
  return [
    ...supervisor.reasons,
    ...(queue.redis_up ? [] : [CAUSE.redis]),
    ...expiredCertificates(status),
    ...(policy === NO_EVICTION ? [] : [`Redis has maxmemory-policy ${policy}, which can delete the queue`]),
    ...(waiting > BACKLOG_MESSAGES ? [backlogOf(waiting)] : []),
    ...failingAttempts(status),
    ...ofWorkers,
  ];
}

function expiredCertificates({ certificates }: StatusDocument): string[] {
  return certificates
    .filter(({ expired }) => expired)
    .map(
      ({ file, not_after: notAfter }) =>
        `${certificateExpired('the certificate', file, Date.parse(notAfter))}; renew it and reload`,
    );
}

function certificatesOf({ slots, wallNow }: SupervisorFacts): CertificateStatus[] {
  const ends = new Map<string, number>();
  for (const { file, notAfter } of slots.flatMap(({ current }) => current?.beat?.certificates ?? [])) {
    ends.set(file, Math.min(notAfter, ends.get(file) ?? Infinity));
  }
  return [...ends].map(([file, notAfter]) => ({
    file,
    not_after: new Date(notAfter).toISOString(),
    expired: notAfter <= wallNow,
  }));
}

function workerStatus(slot: WorkerSlot, facts: SupervisorFacts): WorkerStatus {
  const handle = slot.current;
  const usage = handle && facts.usage(handle.pid);
  const beat = handle?.beat;
  const { state, reasons } = shownState(slot, handle);
  const identity = handle?.identity ?? facts.identity(slot.number);
  return {
    id: identity.workerId,
    pid: handle?.pid ?? null,
    state,
    reasons,
    consuming: handle?.isConsuming ?? false,
    breaker: beat?.breaker ?? null,
    redis_up: beat?.redisUp ?? false,
    metrics_port: identity.metricsPort,
    restarts: slot.restarts,
    hangs: slot.hangs,
    uptime_seconds: handle ? seconds(facts.now - handle.forkedAt) : 0,
    cpu_percent: usage?.cpuPercent ?? null,
    memory_bytes: usage?.memoryBytes ?? null,
    event_loop_lag_seconds: beat?.eventLoopLagSeconds ?? null,
    processing: slot.processes.reduce((sum, { beat: its }) => sum + (its?.inFlight ?? 0), 0),
    ...slot.totals(),
  };
}

function shownState(
  slot: WorkerSlot,
  handle: WorkerHandle | undefined,
): { readonly state: ShownState; readonly reasons: readonly string[] } {
  const trouble = slot.trouble === undefined ? [] : [`its last process ${slot.trouble}`];
  if (!handle)
    return slot.leaving.size > 0 ? { state: 'draining', reasons: [] } : { state: 'backoff', reasons: trouble };
  if (handle.stage === 'ending' || handle.stage === 'quieted') return { state: 'draining', reasons: [] };
  const state = handle.stage === 'active' ? handle.beat?.state : undefined;
  if (handle.isSilent) {
    return { state: 'degraded', reasons: [`it has ${CAUSE.hang} for 3 s; its event loop may hang`] };
  }
  if (state === undefined || state === 'standby' || state === 'starting')
    return { state: 'starting', reasons: trouble };
  return { state, reasons: handle.beat?.reasons ?? [] };
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
