import { NO_ARRIVALS } from '../../../../../supervisor/status/arrivals-meter.js';
import type { StatusFacts, WorkerStatus } from '../../../../../supervisor/status/status-document.js';
import { NO_TRAFFIC } from '../../../../../supervisor/status/traffic-meter.js';

const WELL: WorkerStatus = {
  id: 'worker-1',
  pid: 1,
  state: 'ready',
  reasons: [],
  causes: [],
  consuming: true,
  breaker: 'closed',
  breaker_reason: null,
  next_look_seconds: null,
  held_by: null,
  concurrency_limit: 4,
  limited_by: 'demand',
  redis_up: true,
  metrics_port: 9100,
  restarts: 0,
  hangs: 0,
  uptime_seconds: 1,
  cpu_percent: null,
  memory_bytes: null,
  event_loop_lag_seconds: null,
  processing: 0,
  failing_duties: [],
  processed: 0,
  delivered: 0,
  failed: 0,
  retried: 0,
};

export const BACKOFF = {
  state: 'backoff',
  consuming: false,
  breaker: null,
  redis_up: false,
  pid: null,
  reasons: ['the last process exited with code 1'],
  causes: ['crash'],
} as const;

/** A supervisor and workers that are well but for what is given; they are worker-1, worker-2, ... */
export function factsOf(
  workers: readonly Partial<WorkerStatus>[],
  changes: {
    readonly supervisor?: Partial<StatusFacts['supervisor']>;
    readonly queue?: Partial<StatusFacts['queue']>;
  } & Partial<Pick<StatusFacts, 'certificates' | 'traffic' | 'errors' | 'failing'>> = {},
): StatusFacts {
  const { supervisor, queue, ...others } = changes;
  return {
    supervisor: {
      pid: 1,
      version: '1',
      state: 'running',
      uptime_seconds: 1,
      workers_wanted: workers.length,
      last_reload: null,
      reloads_succeeded: 0,
      reloads_failed: 0,
      reasons: [],
      failing_duties: [],
      ...supervisor,
    },
    workers: workers.map((worker, at) => ({ ...WELL, id: `worker-${at + 1}`, ...worker })),
    totals: { processed: 0, delivered: 0, failed: 0, retried: 0 },
    queue: {
      name: 'q',
      redis_up: true,
      waiting: 0,
      processing: 0,
      retrying: 0,
      dead: 0,
      oldest_wait_seconds: 0,
      oldest_retry_overdue_seconds: 0,
      retry_due_in_seconds: null,
      eviction_policy: 'noeviction',
      paused: null,
      arrivals: NO_ARRIVALS,
      ...queue,
    },
    fleet: null,
    certificates: [],
    traffic: NO_TRAFFIC,
    failing: null,
    errors: [],
    ...others,
  };
}
