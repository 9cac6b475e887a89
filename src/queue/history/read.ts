import type { Buffer } from 'node:buffer';
import {
  byUnit,
  dayName,
  dayOf,
  isQuiet,
  monthName,
  readHistoryLine,
  startOf,
  type HistoryEntry,
  type HistoryUnit,
} from '../../domain/history/book.js';
import { readSpans, spansSince, type BookSpans } from '../../domain/history/spans.js';
import type { RedisConnection } from '../connection/connection.js';
import { explained } from '../connection/script-refusal.js';
import type { RedisKeys } from '../keys.js';

export interface HistoryQuery {
  readonly days: number;
  readonly by: HistoryUnit;
}

export interface ReadHistory extends BookSpans {
  /** By Redis's clock, ms since the Unix epoch. */
  readonly now: number;
  /** When what is read begins. */
  readonly from: number;
  /** The oldest first, one for each unit of time; by minute without those in which nothing happened. */
  readonly entries: readonly HistoryEntry[];
}

/** Reads the book. Rejects with RedisUnavailableError. */
export async function readHistory(
  connection: RedisConnection,
  keys: RedisKeys,
  { days, by }: HistoryQuery,
): Promise<ReadHistory> {
  const [seconds, microseconds] = (await connection.call('TIME')) as [Buffer, Buffer];
  const now = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  const from = startOf(days, by, now);
  const entries: HistoryEntry[] = [];
  for (const { key, startOfField } of pages(keys, by, { from, now })) {
    for (const [field, text] of await fieldsOf(connection, key)) {
      const at = startOfField(field);
      if (Number.isFinite(at)) entries.push({ at, ...readHistoryLine(text) });
    }
  }
  const all = byUnit(entries, by, { from, now });
  const shown = by === 'minute' ? all.filter((entry) => !isQuiet(entry)) : all;
  return { now, from, entries: shown, ...(await readBookSpans(connection, keys, from)) };
}

async function readBookSpans(connection: RedisConnection, keys: RedisKeys, since: number): Promise<BookSpans> {
  const reply = (await connection.call('HMGET', keys.history, 'begun', 'gaps', 'outages')) as (Buffer | null)[];
  const [begun = '', gaps = '', outages = ''] = reply.map((text) => String(text ?? ''));
  return {
    begun: Number(begun) > 0 ? Number(begun) : undefined,
    gaps: spansSince(readSpans(gaps), since),
    outages: spansSince(readSpans(outages), since),
  };
}

interface Page {
  readonly key: string;
  /** When what stands in this field began; NaN = it is none of ours. */
  readonly startOfField: (field: string) => number;
}

/** Fields are `hh:mm` in the key of a day, `dd hh` in that of a month. */
function pages(keys: RedisKeys, by: HistoryUnit, span: { readonly from: number; readonly now: number }): Page[] {
  const days: number[] = [];
  for (let day = dayOf(span.from); day <= dayOf(span.now); day += 1) days.push(day);
  if (by === 'minute') {
    return days.map((day) => ({
      key: keys.historyOf(dayName(day)),
      startOfField: (field) => Date.parse(`${dayName(day)}T${field}Z`),
    }));
  }
  const months = [...new Set(days.map(monthName))];
  return months.map((month) => ({
    key: keys.historyOf(month),
    startOfField: (field) => Date.parse(`${month}-${field.replace(' ', 'T')}:00Z`),
  }));
}

/** Not more than 1,440 of some 60 bytes. */
async function fieldsOf(connection: RedisConnection, key: string): Promise<(readonly [string, string])[]> {
  let flat: Buffer[];
  try {
    flat = (await connection.call('HGETALL', key)) as Buffer[];
  } catch (error) {
    throw await explained(error, connection, { text: '', keys: [key] });
  }
  const fields: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) fields.push([String(flat[at]), String(flat[at + 1])]);
  return fields;
}
