/** A row for each worker. Pure. */
import { printable } from '../../../src/shared/words/escape.js';
import type { WorkerStatus } from '../../status/status-document.js';
import { duration } from '../kit/duration.js';
import { fitted, type Column } from './drawing/columns.js';
import { line, type Line, type Piece, type Tone } from './drawing/line.js';
import { wrapped } from './drawing/wrap.js';

const TONES: Readonly<Record<WorkerStatus['state'], Tone | undefined>> = {
  starting: 'strong',
  ready: undefined,
  degraded: 'warning',
  draining: 'strong',
  backoff: 'bad',
};

const COLUMNS: readonly Column<WorkerStatus>[] = [
  { heading: 'WORKER', rank: 0, left: true, cell: ({ id }) => ({ text: printable(id, 40) }) },
  { heading: 'PID', rank: 10, cell: ({ pid }) => orDash(pid, String) },
  { heading: 'STATE', rank: 1, left: true, least: 8, cell: stateOf },
  { heading: 'UP', rank: 8, least: 6, cell: ({ uptime_seconds: up }) => ({ text: duration(up) }) },
  { heading: 'CPU', rank: 6, least: 4, cell: ({ cpu_percent: cpu }) => orDash(cpu, (now) => `${Math.round(now)}%`) },
  {
    heading: 'MEMORY',
    rank: 7,
    cell: ({ memory_bytes: bytes }) => orDash(bytes, (now) => `${Math.round(now / 1_048_576)}M`),
  },
  {
    heading: 'LAG',
    rank: 11,
    least: 5,
    cell: ({ event_loop_lag_seconds: lag }) => orDash(lag, (now) => `${Math.round(now * 1_000)}ms`),
  },
  { heading: 'IN FLIGHT', rank: 2, cell: inFlight },
  { heading: 'DELIVERED', rank: 3, cell: ({ delivered }) => ({ text: String(delivered) }) },
  { heading: 'FAILED', rank: 4, cell: ({ failed }) => ({ text: String(failed) }) },
  { heading: 'RETRIED', rank: 9, cell: ({ retried }) => ({ text: String(retried) }) },
  { heading: 'RESTARTS', rank: 5, cell: restartsOf },
  { heading: 'LIMITED BY', rank: 13, left: true, cell: ({ limited_by: by }) => orDash(by, limitWords) },
  { heading: 'PORT', rank: 14, cell: ({ metrics_port: port }) => ({ text: String(port) }) },
];
const WHY: Column<WorkerStatus> = { heading: 'WHY', rank: 12, left: true, least: 12, elastic: true, cell: whyOf };

interface Room {
  readonly columns: number;
  /** The headings and what is said below among them. */
  readonly rows: number;
}

/** Those in trouble first where not all have room. */
export function workersTable(workers: readonly WorkerStatus[], { columns, rows }: Room): Line[] {
  if (workers.length === 0) return [line('no worker has a place yet')];
  const isSaid = workers.some(({ reasons }) => reasons.length > 0);
  const everybody = fitted(isSaid ? [...COLUMNS, WHY] : COLUMNS, workers, columns);
  const notes = [...limits(workers, everybody.leftOut), ...leftOut(everybody.leftOut)].flatMap((note) =>
    wrapped(note, columns, 2).map((text) => line({ text, tone: 'faint' })),
  );
  // of the notes rather none than of the workers
  const forTable = Math.max(rows - notes.length, Math.min(rows, 4));
  const most = Math.max(1, forTable - 1);
  const table = workers.length <= most ? everybody.lines : withoutSome(workers, everybody.lines, Math.max(1, most - 1));
  return [...table, ...notes].slice(0, rows);
}

function withoutSome(workers: readonly WorkerStatus[], lines: readonly Line[], most: number): Line[] {
  const [headings = [], ...rows] = lines;
  const inOrder = workers.map((worker, at) => ({ worker, row: rows[at] ?? [] }));
  const sorted = [...inOrder].sort((a, b) => Number(isWell(a.worker)) - Number(isWell(b.worker)));
  const hidden = sorted.slice(most).map(({ worker }) => worker);
  const unwell = hidden.filter((worker) => !isWell(worker)).length;
  const how = unwell === 0 ? 'all ready' : `${unwell} of them not ready`;
  return [
    headings,
    ...sorted.slice(0, most).map(({ row }) => row),
    line({ text: `and ${hidden.length} more, ${how}`, tone: unwell === 0 ? 'faint' : 'warning' }),
  ];
}

function isWell({ state, reasons }: WorkerStatus): boolean {
  return state === 'ready' && reasons.length === 0;
}

function leftOut(headings: readonly string[]): string[] {
  const named = headings.filter((heading) => heading !== 'WHY').map((heading) => heading.toLowerCase());
  return named.length === 0 ? [] : [`a wider terminal also shows: ${named.join(', ')}`];
}

/** What holds the limits, where the table has no room for it. */
function limits(workers: readonly WorkerStatus[], missing: readonly string[]): string[] {
  if (!missing.includes('LIMITED BY')) return [];
  const known = workers.filter(({ limited_by: by }) => by !== null);
  const causes = [...new Set(known.map(({ limited_by: by }) => by ?? ''))].map((cause) => {
    const held = known.filter(({ limited_by: by }) => by === cause).map(({ id }) => printable(id, 40));
    return `${limitWords(cause)}${held.length === known.length ? '' : ` (${held.join(', ')})`}`;
  });
  return causes.length === 0 ? [] : [`in flight is limited by ${causes.join(', ')}`];
}

function limitWords(cause: string): string {
  return printable(cause.replaceAll('_', ' '), 20);
}

function stateOf({ state }: WorkerStatus): Piece {
  const tone = TONES[state];
  return { text: state, ...(tone === undefined ? {} : { tone }) };
}

function restartsOf({ restarts }: WorkerStatus): Piece {
  return { text: String(restarts), ...(restarts > 0 ? { tone: 'warning' } : {}) };
}

function whyOf({ reasons }: WorkerStatus): Piece {
  return { text: printable(reasons.join('; '), 300) };
}

/** Of how many that it may have. */
function inFlight({ processing, concurrency_limit: most }: WorkerStatus): Piece {
  return { text: most === null ? String(processing) : `${processing} of ${most}` };
}

function orDash<T>(value: T | null, words: (value: T) => string): Piece {
  return { text: value === null ? '-' : words(value) };
}
