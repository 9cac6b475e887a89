/**
 * What all workers of a queue have done, by minute for 8 days and by hour for 400, in UTC by Redis's clock. Pure.
 *
 * A line of the book is `delivered failed retried buried arrived wait waiting`, written by src/queue/lua/history/note.lua.
 */

/** What workers have counted: of one process since its start, or of several together. None of it ever falls. */
export interface HistoryCounts {
  readonly delivered: number;
  /** Attempts. */
  readonly failed: number;
  readonly retried: number;
  readonly buried: number;
  /** Claims that ended with an acknowledgement: their messages left Redis. Not shown; arrivals are reckoned with it. */
  readonly acknowledged: number;
}

/** In the order in which they travel to Redis. */
export const COUNTED_IN_HISTORY = ['delivered', 'failed', 'retried', 'buried', 'acknowledged'] as const;

export const NOTHING_COUNTED: HistoryCounts = { delivered: 0, failed: 0, retried: 0, buried: 0, acknowledged: 0 };

export interface HistoryLine extends Omit<HistoryCounts, 'acknowledged'> {
  readonly arrived: number;
  /** Of the message that waited longest, at any look; 0 = none waited, or its age could not be read. */
  readonly oldestWaitSeconds: number;
  /** Messages at any look. */
  readonly mostWaiting: number;
}

/** A line and when it begins, ms since the Unix epoch. */
export interface HistoryEntry extends HistoryLine {
  readonly at: number;
}

export const HISTORY_UNITS = ['minute', 'hour', 'day'] as const;
export type HistoryUnit = (typeof HISTORY_UNITS)[number];

const UNIT_MS: { readonly [unit in HistoryUnit]: number } = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const DAY_MS = UNIT_MS.day;
/** How far back the book goes. */
export const MINUTES_KEPT_DAYS = 8;
export const HOURS_KEPT_DAYS = 400;

const NOTHING: HistoryLine = {
  delivered: 0,
  failed: 0,
  retried: 0,
  buried: 0,
  arrived: 0,
  oldestWaitSeconds: 0,
  mostWaiting: 0,
};

/** What is no line of ours counts nothing. */
export function readHistoryLine(text: string): HistoryLine {
  const numbers = text.split(' ').map(Number);
  if (numbers.length !== 7 || !numbers.every((number) => number >= 0 && Number.isFinite(number))) return NOTHING;
  const [delivered = 0, failed = 0, retried = 0, buried = 0, arrived = 0, oldestWaitSeconds = 0, mostWaiting = 0] =
    numbers;
  return { delivered, failed, retried, buried, arrived, oldestWaitSeconds, mostWaiting };
}

/**
 * One entry for each unit of time from `from` on, up to the one that `now` lies in, those without anything among them.
 * Counts add up, maxima stay.
 */
export function byUnit(
  entries: readonly HistoryEntry[],
  unit: HistoryUnit,
  { from, now }: { readonly from: number; readonly now: number },
): readonly HistoryEntry[] {
  const length = UNIT_MS[unit];
  const start = Math.floor(from / length) * length;
  const units = Array.from({ length: Math.floor((now - start) / length) + 1 }, () => NOTHING);
  for (const entry of entries) {
    const place = Math.floor((entry.at - start) / length);
    const known = units[place];
    if (known) units[place] = together(known, entry);
  }
  return units.map((line, place) => ({ at: start + place * length, ...line }));
}

/** Nothing happened, and nothing waited. */
export function isQuiet({ delivered, failed, retried, buried, arrived, mostWaiting }: HistoryLine): boolean {
  return delivered + failed + retried + buried + arrived + mostWaiting === 0;
}

/** Of all of them. */
export function sumOf(entries: readonly HistoryLine[]): HistoryLine {
  return entries.reduce(together, NOTHING);
}

function together(one: HistoryLine, other: HistoryLine): HistoryLine {
  return {
    delivered: one.delivered + other.delivered,
    failed: one.failed + other.failed,
    retried: one.retried + other.retried,
    buried: one.buried + other.buried,
    arrived: one.arrived + other.arrived,
    oldestWaitSeconds: Math.max(one.oldestWaitSeconds, other.oldestWaitSeconds),
    mostWaiting: Math.max(one.mostWaiting, other.mostWaiting),
  };
}

/** Where a span of so many days begins: by day with the first of them, else so many times 24 hours ago. */
export function startOf(days: number, unit: HistoryUnit, now: number): number {
  if (unit === 'day') return (Math.floor(now / DAY_MS) - (days - 1)) * DAY_MS;
  const length = UNIT_MS[unit];
  return (Math.floor(now / length) + 1) * length - days * DAY_MS;
}

/** Whole days since 1970, UTC. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** As in the name of its key. */
export function dayName(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Of the month that the day lies in. */
export function monthName(day: number): string {
  return dayName(day).slice(0, 7);
}
