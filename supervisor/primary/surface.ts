/** What shows the primary and lets others act on it: status, control, and the ways to both. */
import type { FleetKeeping } from '../queue/fleet-keeping.js';
import type { Config } from '../../src/shared/config/config.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Listener } from '../admin/listener.js';
import type { Origin } from '../admin/protocol.js';
import { route, type Route } from '../admin/route.js';
import { auditRoute } from '../admin/routes/audit.js';
import { claimsRoute } from '../admin/routes/claims.js';
import { controlRoutes } from '../admin/routes/control.js';
import { deadLetterRoutes } from '../admin/routes/dead-letters.js';
import { fleetRoute } from '../admin/routes/fleet.js';
import { historyRoute } from '../admin/routes/history.js';
import { failureRoutes } from '../admin/routes/failures.js';
import { pauseRoutes } from '../admin/routes/pause.js';
import { messageActionRoutes } from '../admin/routes/message-actions.js';
import { messageRoutes } from '../admin/routes/messages.js';
import { readRoutes } from '../admin/routes/reading.js';
import { controlSocketPath } from '../admin/socket-path.js';
import { createAdminServer } from '../admin/tcp-server.js';
import { createControlSocket } from '../admin/unix-socket.js';
import { Dashboard } from '../dashboard/dashboard.js';
import type { AuditBook } from '../queue/audit-book.js';
import type { FailureSweeper } from '../queue/failure-sweeper.js';
import type { FoundLists } from '../queue/found-lists.js';
import type { HistoryKeeping } from '../queue/history-keeping.js';
import type { LeaseObserver } from '../queue/lease-observer.js';
import type { QueueMonitor } from '../queue/queue-monitor.js';
import type { Operations } from '../rollout/operations.js';
import type { Reload } from '../rollout/reload.js';
import type { ArrivalsMeter } from '../status/arrivals-meter.js';
import type { CountLedger } from '../status/counts.js';
import { MetricsAggregator } from '../status/metrics-aggregator.js';
import { Sampler } from '../status/sampler.js';
import type { StatusDocument } from '../status/status-document.js';
import { StatusSource } from '../status/status-source.js';
import { SupervisorMetrics } from '../status/supervisor-metrics.js';
import { claimsOf } from '../workers/claims.js';
import type { ResourceMonitor } from '../workers/resource-monitor.js';
import type { WorkerPool } from '../workers/worker-pool.js';
import { Control } from './control.js';

interface SurfaceOptions {
  /** Where it listens: as at the start, whatever a reload says. */
  readonly supervisor: Config['supervisor'];
  readonly origin: Origin;
  readonly pool: WorkerPool;
  readonly counts: CountLedger;
  readonly queue: QueueMonitor;
  readonly observer: Pick<LeaseObserver, 'trouble'>;
  readonly history: Pick<HistoryKeeping, 'trouble'>;
  readonly sweeper: Pick<FailureSweeper, 'trouble'>;
  readonly foundLists: Pick<FoundLists, 'trouble'>;
  readonly arrivals: Pick<ArrivalsMeter, 'arrivalsAt'>;
  readonly fleet: Pick<FleetKeeping, 'sight' | 'trouble' | 'look'>;
  readonly reload: Reload;
  readonly operations: Operations;
  readonly audit: AuditBook;
  readonly resources: ResourceMonitor;
  readonly log: Log;
  readonly clock: Clock;
  readonly onChange: () => void;
}

export interface Surface {
  readonly status: StatusSource;
  readonly control: Control;
  /** In the order in which they start. */
  readonly lives: readonly Life[];
}

export function surfaceOf(options: SurfaceOptions): Surface {
  const { supervisor, pool, counts, queue, observer, history, sweeper, foundLists, arrivals, fleet, log, clock } =
    options;
  /** Filled below, since the status that they serve tells what is wrong with them, too. */
  const listeners: Listener[] = [];
  const status: StatusSource = new StatusSource({
    ...options,
    traffic: () => sampler.traffic,
    arrivals: () => arrivals.arrivalsAt(clock.now()),
    errors: () => sampler.errors,
    fleet: () => fleet.sight,
    troubles: () => troublesOf(listeners),
    failingDuties: () => troublesOf([observer, queue, history, sweeper, foundLists, fleet]),
  });
  const document = (): StatusDocument => status.document();
  const control = new Control({ ...options, status: document });
  const sampler = new Sampler({ counts, slots: () => pool.slots, status: document, clock });
  const adminToken = (): string => pool.config.supervisor.adminToken;
  const hasToken = (): boolean => adminToken() !== '';
  const dashboard = new Dashboard({ status: document, history: sampler.history, hasToken, clock });
  const routes = [...dashboard.routes(), ...routesOf(options, document, control)];
  const admin = createAdminServer({ ...supervisor, adminToken, routes, log, clock });
  const socket = createControlSocket({ path: controlSocketPath(supervisor), routes, log, clock });
  listeners.push(admin, socket);
  return { status, control, lives: [sampler, dashboard, admin, socket] };
}

function troublesOf<T>(parts: readonly { readonly trouble: T | undefined }[]): T[] {
  return parts.map(({ trouble }) => trouble).filter((trouble) => trouble !== undefined);
}

function routesOf(
  { pool, counts, audit, fleet, origin, clock }: SurfaceOptions,
  status: () => StatusDocument,
  control: Control,
): readonly Route[] {
  const claims = () => claimsOf(pool.processes);
  return [
    ...readRoutes({
      status,
      slots: () => pool.slots,
      metrics: new SupervisorMetrics(),
      workerMetrics: new MetricsAggregator(counts),
    }),
    ...controlRoutes({
      status,
      reload: (by) => control.reload(by),
      scale: (workers, by) => control.scale(workers, by),
      restart: (workerId, by) => control.restart(workerId, by),
      stop: (now, by) => control.stop(now, by),
    }),
    ...deadLetterRoutes({ config: () => pool.config, audit, clock }),
    ...pauseRoutes({ config: () => pool.config, audit, clock }),
    ...messageActionRoutes({ config: () => pool.config, audit, clock }),
    ...messageRoutes(() => pool.config, clock, claims),
    claimsRoute(claims),
    auditRoute(() => pool.config, clock),
    historyRoute(() => pool.config, clock),
    fleetRoute(
      () => fleet.look(),
      () => pool.config,
    ),
    ...failureRoutes(() => pool.config, clock),
    route('origin', () => ({ status: 200, body: origin })),
  ];
}
