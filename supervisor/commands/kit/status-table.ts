/** The status as text, pure: for `status` and each frame of `status --watch`. */
import { CAUSE } from '../../../src/shared/words/causes.js';
import { printable } from '../../../src/shared/words/escape.js';
import type { StatusDocument, WorkerStatus } from '../../status/status-document.js';
import { verdictOf } from '../../status/verdict.js';

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
const LEFT_ALIGNED = new Set([0, 2]);

export function statusText(status: StatusDocument): string[] {
  const { supervisor, queue, workers } = status;
  const ready = workers.filter(({ consuming }) => consuming).length;
  return [
    `${headline(status)}  supervisor ${supervisor.version} (pid ${supervisor.pid}) ${supervisor.state} for ${duration(supervisor.uptime_seconds)}, ${ready} of ${supervisor.workers_wanted} workers take messages`,
    queueLine(queue),
    ...verdictOf(status).reasons.map((reason) => `  ! ${printable(reason, 300)}`),
    '',
    ...table([HEADINGS, ...workers.map(row)]),
  ];
}

/** FLOWING, DEGRADED or STOPPED. */
export function headline(status: StatusDocument): string {
  return verdictOf(status).state.toUpperCase();
}

export function queueLine(queue: StatusDocument['queue']): string {
  const name = printable(queue.name, 100);
  if (queue.waiting === null) return `queue ${name}: unknown, ${CAUSE.redis}`;
  const oldest = queue.oldest_wait_seconds ? `, the oldest for ${duration(queue.oldest_wait_seconds)}` : '';
  return `queue ${name}: ${queue.waiting} waiting${oldest}, ${queue.processing} processing, ${queue.retrying} retrying, ${queue.dead} dead`;
}

/** `45s`, `12m30s`, `5h12m`, `3d4h`. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [d, h, m, s] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3_600) % 24,
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  if (d > 0) return `${d}d${h}h`;
  if (h > 0) return `${h}h${m}m`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
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
    ...[worker.processing, worker.delivered, worker.failed, worker.retried, worker.restarts].map(String),
  ];
}

/** Columns as wide as their widest cell, two blanks apart; numbers to the right. */
export function table(rows: readonly (readonly string[])[], leftAligned: ReadonlySet<number> = LEFT_ALIGNED): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length)));
  return rows.map((cells) =>
    cells
      .map((cell, at) => (leftAligned.has(at) ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
