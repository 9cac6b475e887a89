import {
  HOURS_KEPT_DAYS,
  MINUTES_KEPT_DAYS,
  sumOf,
  type HistoryLine,
  type HistoryUnit,
} from '../../../src/domain/history/book.js';
import type { AuditEntry } from '../../../src/domain/audit/deed.js';
import type { Span } from '../../../src/domain/history/spans.js';
import type { HistoryQuery, ReadHistory } from '../../../src/queue/history/read.js';
import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import { SCHEMA_VERSION, type HistoryDocument, type HistoryNumbers, type HistorySpan } from '../protocol.js';
import { marksOf } from './marks.js';

export const DEFAULT_DAYS = 7;

/** The unit in which so many days are shown when nobody says it. */
export function unitFor(days: number): HistoryUnit {
  return days <= 2 ? 'hour' : 'day';
}

/** How far back the history goes in this unit. */
export function mostDays(by: HistoryUnit): number {
  return by === 'minute' ? MINUTES_KEPT_DAYS : HOURS_KEPT_DAYS;
}

/** Of the audit's 10,000 entries the last ones are looked through for marks, some 2 ms of Redis. */
const MARKED_ENTRIES = 1_000;

/** Rejects with RedisUnavailableError. An audit that cannot be read takes nothing away but the marks. */
export async function readHistoryDocument(
  { history, audit }: Pick<OperatorQueue, 'history' | 'audit'>,
  query: HistoryQuery,
  queue: string,
): Promise<HistoryDocument> {
  const read = await history.read(query);
  const deeds = await audit.list(MARKED_ENTRIES, read.from).catch(() => undefined);
  return historyDocument(read, deeds, query, queue);
}

/** @param deeds of the audit, the newest first; undefined = it could not be read. */
export function historyDocument(
  { now, entries, begun, gaps, outages }: ReadHistory,
  deeds: readonly AuditEntry[] | undefined,
  { days, by }: HistoryQuery,
  queue: string,
): HistoryDocument {
  const oldest = deeds && deeds.length >= MARKED_ENTRIES ? deeds.at(-1)?.atMs : undefined;
  return {
    schema_version: SCHEMA_VERSION,
    queue,
    days,
    by,
    at: iso(now),
    rows: entries.map(({ at, ...line }) => ({ from: iso(at), ...numbersOf(line) })),
    total: numbersOf(sumOf(entries)),
    known_since: begun === undefined ? null : iso(begun),
    gaps: gaps.map(spanOf),
    outages: outages.map(spanOf),
    marks: deeds ? marksOf(deeds) : null,
    marks_since: oldest === undefined || Number.isNaN(oldest) ? null : iso(oldest),
  };
}

function spanOf({ from, until }: Span): HistorySpan {
  return { from: iso(from), until: iso(until) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function numbersOf(line: HistoryLine): HistoryNumbers {
  const { arrived, delivered, failed, retried, buried } = line;
  const maxima = { oldest_wait_seconds: line.oldestWaitSeconds, most_waiting: line.mostWaiting };
  return { arrived, delivered, failed, retried, buried, ...maxima };
}
