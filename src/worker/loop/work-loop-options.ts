import type { MainServer } from '../../delivery/main-server.js';
import type { CircuitBreaker } from '../../domain/flow/circuit-breaker.js';
import type { FlowControl } from '../../domain/flow/flow-control.js';
import type { FleetSeat, FleetShare } from '../../domain/flow/fleet-share.js';
import type { Pace } from '../../domain/flow/pace.js';
import type { MessageQueue } from '../../queue/message-queue.js';
import type { Log } from '../../shared/logger/log.js';
import type { WorkerMetrics } from '../../shared/metrics/worker-metrics.js';
import type { Clock } from '../../shared/time/clock.js';
import type { Attempts } from '../attempt/attempt.js';
import type { Copies } from '../attempt/copies.js';
import type { Held } from '../attempt/held.js';
import type { PauseWatch } from './pause-watch.js';
import type { StatusPlaces } from './status-places.js';
import type { StatusUpdates } from '../attempt/status-updates.js';

/** What the work loop and its parts share. */
export interface WorkLoopOptions {
  readonly queue: MessageQueue;
  readonly attempts: Pick<Attempts, 'run'>;
  readonly statusUpdates: StatusUpdates;
  readonly statusPlaces: StatusPlaces;
  readonly copies: Copies;
  readonly held: Held;
  readonly server: Pick<MainServer, 'probe'>;
  readonly flow: FlowControl;
  /** Of `flow`. */
  readonly breaker: CircuitBreaker;
  readonly fleet: FleetShare & Pick<FleetSeat, 'using' | 'leave' | 'watch' | 'kept'>;
  readonly pause: Pick<PauseWatch, 'isOpen' | 'isPaused' | 'awake' | 'onChange'>;
  readonly pace: Pace;
  readonly limits: { readonly concurrency: number; readonly batchSize: number };
  readonly metrics: WorkerMetrics;
  readonly clock: Clock;
  readonly log: Log;
  /** Called at every turn of the loop. */
  readonly onTurn: () => void;
}
