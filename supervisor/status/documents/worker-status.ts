import { CAUSE } from '../../../src/shared/words/causes.js';
import type { Usage } from '../../workers/resource-monitor.js';
import type { WorkerHandle } from '../../workers/worker-handle.js';
import type { WorkerSlot } from '../../workers/worker-slot.js';
import type { CountLedger } from '../counts.js';
import type { ShownState, WorkerStatus } from '../status-document.js';

export interface WorkerFacts {
  /** Monotonic ms. */
  readonly now: number;
  readonly counts: CountLedger;
  /** Id and metrics port of a slot that has no process. */
  readonly identity: (slot: number) => { readonly workerId: string; readonly metricsPort: number };
  readonly usage: (pid: number) => Usage | undefined;
}

export function workerStatus(slot: WorkerSlot, facts: WorkerFacts): WorkerStatus {
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
    consuming: slot.isServed(facts.now),
    breaker: beat?.breaker ?? null,
    held_by: beat?.heldBy ?? null,
    concurrency_limit: beat?.flow?.limit ?? null,
    limited_by: beat?.flow?.heldBy ?? null,
    redis_up: beat?.redisUp ?? false,
    metrics_port: identity.metricsPort,
    restarts: slot.restarts,
    hangs: slot.hangs,
    uptime_seconds: handle ? seconds(facts.now - handle.forkedAt) : 0,
    cpu_percent: usage?.cpuPercent ?? null,
    memory_bytes: usage?.memoryBytes ?? null,
    event_loop_lag_seconds: beat?.eventLoopLagSeconds ?? null,
    failing_duties: handle?.stage === 'active' ? (beat?.troubles ?? []) : [],
    processing: slot.processes.reduce((sum, { beat: its }) => sum + (its?.inFlight ?? 0), 0),
    ...facts.counts.totalsOfSlot(slot),
  };
}

function shownState(
  slot: WorkerSlot,
  handle: WorkerHandle | undefined,
): { readonly state: ShownState; readonly reasons: readonly string[] } {
  const trouble = slot.trouble === undefined ? [] : [`its last process ${slot.trouble}`];
  if (!handle && slot.leaving.size > 0) return { state: 'draining', reasons: [] };
  // at the start it waits for its turn to boot
  if (!handle) return { state: slot.trouble === undefined ? 'starting' : 'backoff', reasons: trouble };
  if (handle.stage === 'ending' || handle.stage === 'quieted') return { state: 'draining', reasons: [] };
  const state = handle.stage === 'active' ? handle.beat?.state : undefined;
  if (handle.isSilent) {
    return { state: 'degraded', reasons: [`it has ${CAUSE.hang} for 3 s; its event loop may hang`] };
  }
  if (state === undefined || state === 'standby' || state === 'starting')
    return { state: 'starting', reasons: trouble };
  return { state, reasons: handle.beat?.reasons ?? [] };
}

export function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
