import { NO_ARRIVALS } from '../arrivals-meter.js';
import type { StatusDocument, WorkerStatus } from '../status-document.js';

/** What version 1.0.0 does not say: it is not known. */
const WORKER: Partial<WorkerStatus> = {
  causes: [],
  breaker_reason: null,
  next_look_seconds: null,
  held_by: null,
  concurrency_limit: null,
  limited_by: null,
  failing_duties: [],
};
const QUEUE: Partial<StatusDocument['queue']> = {
  paused: null,
  arrivals: NO_ARRIVALS,
  oldest_retry_overdue_seconds: null,
  retry_due_in_seconds: null,
};

const WHOLE: Partial<StatusDocument> = { fleet: null, failing: null };

/** What a supervisor of an earlier version answers, which runs on until it is restarted, in the shape of today. */
export function completed(status: StatusDocument): StatusDocument {
  const { supervisor, workers, queue } = status;
  return {
    ...WHOLE,
    ...status,
    supervisor: { ...{ failing_duties: [] }, ...supervisor },
    workers: workers.map((worker) => ({ ...WORKER, ...worker })),
    queue: { ...QUEUE, ...queue },
  };
}
