/** The history as columns for plots. What is not known has no value there, and the plot a gap. Pure. */
import type { HistoryDocument, HistorySpan } from '../../../admin/protocol.js';

export interface Columns {
  readonly length: number;
  /** `at` in seconds since the Unix epoch. */
  column(field: string): (number | null)[];
}

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
const DAY_MS = UNIT_MS.day;
/** What was seen for less than this tells nothing of a minute or an hour. */
const LEAST_SEEN_MS = 30_000;

const FIELDS = [
  'at',
  'arrived_per_second',
  'delivered_per_second',
  'failed_per_second',
  'retried_per_minute',
  'buried_per_minute',
  'most_waiting',
  'oldest_wait',
] as const;
export type PastField = (typeof FIELDS)[number];
type Point = Readonly<Record<PastField, number | null>>;

const NOTHING = {
  arrived: 0,
  delivered: 0,
  failed: 0,
  retried: 0,
  buried: 0,
  oldest_wait_seconds: 0,
  most_waiting: 0,
} satisfies Partial<HistoryDocument['rows'][number]>;

export function pastColumns(history: HistoryDocument): Columns {
  const [unit, now] = [UNIT_MS[history.by], Date.parse(history.at)];
  const rows = new Map(history.rows.map((row) => [Date.parse(row.from), row]));
  const begun = knownSince(history);
  const first = (Math.floor(now / unit) + 1) * unit - history.days * DAY_MS;
  const points: Point[] = [];
  // the one that has hardly begun says nothing yet
  for (let from = first; from + LEAST_SEEN_MS <= now; from += unit) {
    const until = Math.min(from + unit, now);
    const seen = until - Math.max(from, begun) - overlap(history.gaps, Math.max(from, begun), until);
    points.push(pointOf((from + until) / 2_000, rows.get(from) ?? NOTHING, seen));
  }
  const columns = new Map<string, (number | null)[]>(
    FIELDS.map((field) => [field, points.map((point) => point[field])]),
  );
  return { length: points.length, column: (field) => columns.get(field) ?? [] };
}

/** Where nobody has noted when the book began, with its first line; ms since the Unix epoch. */
export function knownSince({ known_since: since, rows }: HistoryDocument): number {
  const first = rows.find(({ arrived, delivered, failed, most_waiting: waiting }) => {
    return arrived + delivered + failed + waiting > 0;
  });
  return Date.parse(since ?? first?.from ?? '') || Infinity;
}

function pointOf(at: number, row: typeof NOTHING, seenMs: number): Point {
  if (!(seenMs >= LEAST_SEEN_MS)) {
    return { ...(Object.fromEntries(FIELDS.map((field) => [field, null])) as Point), at };
  }
  const perSecond = (count: number): number => Math.round((count / seenMs) * 100_000) / 100;
  return {
    at,
    arrived_per_second: perSecond(row.arrived),
    delivered_per_second: perSecond(row.delivered),
    failed_per_second: perSecond(row.failed),
    retried_per_minute: perSecond(row.retried * 60),
    buried_per_minute: perSecond(row.buried * 60),
    most_waiting: row.most_waiting,
    oldest_wait: row.oldest_wait_seconds,
  };
}

function overlap(spans: readonly HistorySpan[], from: number, until: number): number {
  const lengths = spans.map((span) => Math.min(Date.parse(span.until), until) - Math.max(Date.parse(span.from), from));
  return lengths.reduce((sum, length) => sum + Math.max(0, length), 0);
}
