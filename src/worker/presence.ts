/** What a worker without a supervisor says of itself to the fleet. */
import { hostname } from 'node:os';
import type { MemberState, Presence } from '../domain/fleet/member.js';
import type { Duty } from '../duties/duty-failures.js';
import { createFleetPresence } from '../duties/fleet/presence.js';
import { packageVersion } from '../shared/config/package-root.js';
import type { Beat, WorkerState } from '../shared/ipc.js';
import type { WorkerMetrics } from '../shared/metrics/worker-metrics.js';
import type { Clock } from '../shared/time/clock.js';
import type { WorkerOptions, WorkerParts } from './composition.js';

const STATES: { readonly [state in WorkerState]: MemberState } = {
  standby: 'starting',
  starting: 'starting',
  ready: 'running',
  degraded: 'running',
  draining: 'stopping',
};

export function presenceOfOneAlone(
  { identity, clock, log }: WorkerOptions,
  { queue, metrics }: Pick<WorkerParts, 'queue' | 'metrics'>,
  beat: () => Beat,
): Duty {
  const { workerId, nonce } = identity;
  const startedAt = clock.now();
  const rates = ratesOf(metrics, clock);
  return createFleetPresence({
    queue: { ...queue.background, isReady: () => queue.isReady() },
    name: { host: hostname(), instance: workerId },
    writer: `worker.${nonce}`,
    presence: () => ({
      ...wordOf(beat()),
      ...rates(),
      pid: process.pid,
      version: packageVersion(),
      uptimeSeconds: (clock.now() - startedAt) / 1_000,
    }),
    clock,
    log,
  });
}

function wordOf({
  state,
  consuming,
  reasons,
}: Beat): Pick<Presence, 'kind' | 'state' | 'isReady' | 'reason' | 'workersReady' | 'workersWanted'> {
  return {
    kind: 'worker',
    state: STATES[state],
    isReady: consuming,
    reason: consuming ? undefined : reasons[0],
    workersReady: consuming ? 1 : 0,
    workersWanted: 1,
  };
}

/** Since it was asked last. */
function ratesOf(metrics: Pick<WorkerMetrics, 'totals'>, clock: Clock) {
  let last = { at: clock.now(), ...metrics.totals() };
  return (): Pick<Presence, 'deliveredPerSecond' | 'failedPerSecond'> => {
    const before = last;
    last = { at: clock.now(), ...metrics.totals() };
    const seconds = Math.max(0.001, (last.at - before.at) / 1_000);
    return {
      deliveredPerSecond: (last.delivered - before.delivered) / seconds,
      failedPerSecond: (last.failed - before.failed) / seconds,
    };
  };
}
