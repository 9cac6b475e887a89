/** Makes the document of /status of what is known. Pure. */
import { countsOf, type FleetSight } from '../../../src/domain/fleet/fleet-watch.js';
import { isoOf } from '../../../src/shared/words/paused.js';
import type { QueueSight } from '../../queue/queue-monitor.js';
import type { ReloadResult } from '../../rollout/reload.js';
import type { WorkerSlot } from '../../workers/worker-slot.js';
import { NO_ARRIVALS } from '../arrivals-meter.js';
import type {
  ArrivalsStatus,
  CertificateStatus,
  ErrorStatus,
  FailingDuty,
  FleetStatus,
  PausedStatus,
  StatusFacts,
  SupervisorState,
  TrafficStatus,
} from '../status-document.js';
import { failingStatus } from './failing-clients.js';
import { seconds, workerStatus, type WorkerFacts } from './worker-status.js';

const MISSING_SHOWN = 10;

interface SupervisorFacts extends WorkerFacts {
  /** Milliseconds since the Unix epoch. */
  readonly wallNow: number;
  /** Monotonic ms. */
  readonly startedAt: number;
  readonly version: string;
  readonly state: SupervisorState;
  readonly workersWanted: number;
  readonly lastReload: ReloadResult | undefined;
  readonly reloads: { readonly ok: number; readonly failed: number };
  readonly reasons: readonly string[];
  readonly failingDuties: readonly FailingDuty[];
  readonly slots: readonly WorkerSlot[];
  readonly queueName: string;
  readonly redisUp: boolean;
  readonly queue: QueueSight | undefined;
  readonly arrivals: ArrivalsStatus;
  readonly fleet: FleetSight | undefined;
  readonly evictionPolicy: string | undefined;
  readonly traffic: TrafficStatus;
  readonly errors: readonly ErrorStatus[];
}

/** All but the headline. */
export function statusFacts(facts: SupervisorFacts): StatusFacts {
  return {
    supervisor: supervisorStatus(facts),
    workers: facts.slots.map((slot) => workerStatus(slot, facts)),
    totals: facts.counts.totals(facts.slots),
    queue: queueStatus(facts),
    traffic: facts.traffic,
    failing: failingStatus(
      facts.slots.flatMap(({ processes }) => processes.flatMap(({ beat }) => beat?.failing ?? [])),
    ),
    errors: facts.errors,
    fleet: facts.queue && facts.fleet ? fleetStatus(facts.fleet) : null,
    certificates: certificatesOf(facts),
  };
}

function supervisorStatus(facts: SupervisorFacts): StatusFacts['supervisor'] {
  const { lastReload } = facts;
  return {
    pid: process.pid,
    version: facts.version,
    state: facts.state,
    uptime_seconds: seconds(facts.now - facts.startedAt),
    workers_wanted: facts.workersWanted,
    last_reload: lastReload ? { ...lastReload, reason: lastReload.reason ?? null } : null,
    reloads_succeeded: facts.reloads.ok,
    reloads_failed: facts.reloads.failed,
    reasons: facts.reasons,
    failing_duties: facts.failingDuties,
  };
}

function queueStatus({ queueName, redisUp, queue, arrivals, evictionPolicy }: SupervisorFacts): StatusFacts['queue'] {
  return {
    name: queueName,
    redis_up: redisUp,
    waiting: queue?.waiting ?? null,
    processing: queue?.processing ?? null,
    retrying: queue?.retrying ?? null,
    dead: queue?.dead ?? null,
    oldest_wait_seconds: queue?.oldestWaitSeconds ?? null,
    oldest_retry_overdue_seconds: queue?.oldestRetryOverdueSeconds ?? null,
    retry_due_in_seconds: queue?.retryDueInSeconds ?? null,
    eviction_policy: evictionPolicy ?? null,
    paused: queue?.pause ? pausedStatus(queue.pause) : null,
    arrivals: queue ? arrivals : NO_ARRIVALS,
  };
}

export function pausedStatus({ id, who, where, why, untilMs }: NonNullable<QueueSight['pause']>): PausedStatus {
  return { id, who, where, why, until: untilMs === undefined ? null : isoOf(untilMs) };
}

function fleetStatus(sight: FleetSight): FleetStatus {
  const missing = sight.members.filter(({ standing }) => standing === 'vanished').slice(0, MISSING_SHOWN);
  return {
    ...countsOf(sight),
    missing: missing.map(({ host, instance, saidAt, silentMs }) => {
      return { host, instance, last_seen_at: isoOf(saidAt), silent_seconds: Math.floor(silentMs / 1_000) };
    }),
  };
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
