import { CAUSE } from '../../../src/shared/words/causes.js';
import type { Usage } from '../../workers/resource-monitor.js';
import type { WorkerHandle } from '../../workers/worker-handle.js';
import type { WorkerSlot } from '../../workers/worker-slot.js';
import type { CountLedger } from '../counts.js';
import type { Cause, ShownState, WorkerStatus } from '../status-document.js';

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
  const { state, reasons, causes } = shownState(slot, handle);
  const identity = handle?.identity ?? facts.identity(slot.number);
  return {
    id: identity.workerId,
    pid: handle?.pid ?? null,
    state,
    reasons,
    causes,
    consuming: slot.isServed(facts.now),
    breaker: beat?.breaker ?? null,
    breaker_reason: beat?.breakerReason ?? null,
    next_look_seconds: beat?.nextLookMs === undefined ? null : seconds(beat.nextLookMs),
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
): Pick<WorkerStatus, 'state' | 'reasons' | 'causes'> {
  const crash = slot.trouble === undefined ? [] : [`the last process ${slot.trouble}`];
  if (!handle && slot.leaving.size > 0) return shown('draining');
  // at the start it waits for its turn to boot
  if (!handle) return shown(slot.trouble === undefined ? 'starting' : 'backoff', 'crash', crash);
  if (handle.stage === 'ending' || handle.stage === 'quieted') return shown('draining');
  if (handle.isSilent) {
    return shown('degraded', 'hang', [`${CAUSE.hang} for 3 s; the event loop may hang`]);
  }
  const beat = handle.stage === 'active' ? handle.beat : undefined;
  const { state } = beat ?? {};
  if (!beat || state === undefined || state === 'standby' || state === 'starting')
    return shown('starting', 'crash', crash);
  return { state, reasons: beat.reasons, causes: beat.causes };
}

function shown(
  state: ShownState,
  cause: Cause = 'other',
  reasons: readonly string[] = [],
): Pick<WorkerStatus, 'state' | 'reasons' | 'causes'> {
  return { state, reasons, causes: reasons.map(() => cause) };
}

export function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
