import {
  HOURS_KEPT_DAYS,
  MINUTES_KEPT_DAYS,
  sumOf,
  type HistoryLine,
  type HistoryUnit,
} from '../../../src/domain/history/book.js';
import type { HistoryQuery, ReadHistory } from '../../../src/queue/history/read.js';
import { SCHEMA_VERSION, type HistoryDocument, type HistoryNumbers } from '../protocol.js';

export const DEFAULT_DAYS = 7;

/** The unit in which so many days are shown when nobody says it. */
export function unitFor(days: number): HistoryUnit {
  return days <= 2 ? 'hour' : 'day';
}

/** How far back the history goes in this unit. */
export function mostDays(by: HistoryUnit): number {
  return by === 'minute' ? MINUTES_KEPT_DAYS : HOURS_KEPT_DAYS;
}

export function historyDocument(
  { now, entries }: ReadHistory,
  { days, by }: HistoryQuery,
  queue: string,
): HistoryDocument {
  return {
    schema_version: SCHEMA_VERSION,
    queue,
    days,
    by,
    at: new Date(now).toISOString(),
    rows: entries.map(({ at, ...line }) => ({ from: new Date(at).toISOString(), ...numbersOf(line) })),
    total: numbersOf(sumOf(entries)),
  };
}

function numbersOf(line: HistoryLine): HistoryNumbers {
  const { arrived, delivered, failed, retried, buried } = line;
  const maxima = { oldest_wait_seconds: line.oldestWaitSeconds, most_waiting: line.mostWaiting };
  return { arrived, delivered, failed, retried, buried, ...maxima };
}
