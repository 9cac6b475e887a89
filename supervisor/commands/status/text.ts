/** The status as text, pure: for `status` and each frame of `status --watch`. */
import { CAUSE } from '../../../src/shared/words/causes.js';
import { printable } from '../../../src/shared/words/escape.js';
import type { ArrivalsStatus, StatusDocument, WorkerStatus } from '../../status/status-document.js';
import { verdictOf } from '../../status/documents/verdict.js';
import { duration } from '../kit/duration.js';
import { table } from '../kit/text-table.js';

const HEADINGS = [
  'WORKER',
  'PID',
  'STATE',
  'UP',
  'CPU',
  'MEMORY',
  'LAG',
  'IN FLIGHT',
  'DELIVERED',
  'FAILED',
  'RETRIED',
  'RESTARTS',
];
const TRENDS = { none: '', shrinking: '', level: 'as much as leaves', growing: 'what waits grows' } as const;
const LEFT_ALIGNED = new Set([0, 2]);

export function statusText(status: StatusDocument): string[] {
  const { supervisor, queue, workers } = status;
  const ready = workers.filter(({ consuming }) => consuming).length;
  return [
    `${headline(status)}  supervisor ${supervisor.version} (pid ${supervisor.pid}) ${supervisor.state} for ${duration(supervisor.uptime_seconds)}, ${ready} of ${supervisor.workers_wanted} workers take messages`,
    queueLine(queue),
    ...arrivalsLine(queue.arrivals),
    ...verdictOf(status).reasons.map((reason) => `  ! ${printable(reason, 300)}`),
    '',
    ...table([HEADINGS, ...workers.map(row)], LEFT_ALIGNED),
    ...limits(workers),
  ];
}

/** FLOWING, DEGRADED, PAUSED or STOPPED. */
export function headline(status: StatusDocument): string {
  const { state } = verdictOf(status);
  return state !== 'stopped' && status.queue.paused !== null ? 'PAUSED' : state.toUpperCase();
}

export function queueLine(queue: StatusDocument['queue']): string {
  const name = printable(queue.name, 100);
  if (queue.waiting === null) return `queue ${name}: unknown, ${CAUSE.redis}`;
  const oldest = queue.oldest_wait_seconds ? `, the oldest for ${duration(queue.oldest_wait_seconds)}` : '';
  return `queue ${name}: ${queue.waiting} waiting${oldest}, ${queue.processing} processing, ${queue.retrying} retrying, ${queue.dead} dead`;
}

/** Nothing while it is not known. */
function arrivalsLine({ arrived_per_second: rate, trend, caught_up_in_seconds: seconds }: ArrivalsStatus): string[] {
  if (rate === null) return [];
  const said = seconds === null ? TRENDS[trend ?? 'none'] : `caught up in about ${duration(seconds)}`;
  return [[`arriving on all hosts: ${rate.toFixed(1)}/s`, said].filter((part) => part !== '').join(', ')];
}

function row(worker: WorkerStatus): string[] {
  const { cpu_percent: cpu, memory_bytes: memory, event_loop_lag_seconds: lag } = worker;
  return [
    printable(worker.id, 40),
    worker.pid === null ? '-' : String(worker.pid),
    worker.state,
    duration(worker.uptime_seconds),
    cpu === null ? '-' : `${Math.round(cpu)}%`,
    memory === null ? '-' : `${Math.round(memory / 1_048_576)}M`,
    lag === null ? '-' : `${Math.round(lag * 1_000)}ms`,
    inFlight(worker),
    ...[worker.delivered, worker.failed, worker.retried, worker.restarts].map(String),
  ];
}

/** Of how many that it may have. */
function inFlight({ processing, concurrency_limit: most }: WorkerStatus): string {
  return most === null ? String(processing) : `${processing} of ${most}`;
}

/** What holds the limits: no column, with which the table would be wider than a terminal of 100. */
function limits(workers: readonly WorkerStatus[]): string[] {
  const known = workers.filter(({ limited_by: by }) => by !== null);
  const causes = [...new Set(known.map(({ limited_by: by }) => by ?? ''))].map((cause) => {
    const held = known.filter(({ limited_by: by }) => by === cause).map(({ id }) => printable(id, 40));
    const whose = held.length === known.length ? '' : ` (${held.join(', ')})`;
    return `${printable(cause.replaceAll('_', ' '), 20)}${whose}`;
  });
  return causes.length === 0 ? [] : ['', `in flight is limited by ${causes.join(', ')}`];
}
