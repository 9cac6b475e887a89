import type { Presence } from '../../../src/domain/fleet/member.js';
import type { StatusDocument } from '../status-document.js';
import { readinessOf } from './readiness.js';

/** What a supervisor says of itself to the fleet. Pure. */
export function presenceOf(status: StatusDocument): Presence {
  const { supervisor, workers, traffic } = status;
  const { ready, reasons } = readinessOf(status).body;
  return {
    kind: 'supervisor',
    pid: supervisor.pid,
    version: supervisor.version,
    state: supervisor.state,
    isReady: ready,
    reason: reasons[0],
    workersReady: workers.filter(({ consuming }) => consuming).length,
    workersWanted: supervisor.workers_wanted,
    deliveredPerSecond: traffic.delivered_per_second,
    failedPerSecond: traffic.failed_per_second,
    uptimeSeconds: supervisor.uptime_seconds,
  };
}
