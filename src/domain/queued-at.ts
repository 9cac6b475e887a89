const ISO_8601 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:[.,](\d+))?([Zz]|[+-]\d\d:?\d\d)?$/;

/**
 * Milliseconds since the Unix epoch of an ISO 8601 time; a time without zone is UTC, as producers write it.
 *
 * Not Date.parse, which reads a time without zone as local and February 30 as March 2. The digits are read where the
 * pattern says they are, since captures and Number() take twice the time, for every message.
 */
export function parseQueuedAt(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const parts = ISO_8601.exec(value);
  if (parts === null) return undefined;
  const midnight = midnightOf(digits(value, 0, 4), digits(value, 5, 7), digits(value, 8, 10));
  const hour = digits(value, 11, 13);
  const minute = digits(value, 14, 16);
  const second = digits(value, 17, 19);
  const offset = offsetMinutes(parts[2]);
  if (midnight === undefined || offset === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  return midnight + (hour * 60 + minute - offset) * 60_000 + second * 1000 + milliseconds(parts[1]);
}

function digits(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) number = number * 10 + text.charCodeAt(at) - 0x30;
  return number;
}

function milliseconds(fraction: string | undefined): number {
  if (fraction === undefined) return 0;
  return fraction.length >= 3 ? digits(fraction, 0, 3) : Number(fraction.padEnd(3, '0'));
}

/** Of `+hh:mm` or `+hhmm`. */
function offsetMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || zone.length === 1) return 0;
  const hours = digits(zone, 1, 3);
  const minutes = digits(zone, zone.length - 2, zone.length);
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** Nearly all messages of a minute are of one day. */
let lastDay = { year: 0, month: 0, day: 0, midnight: undefined as number | undefined };

function midnightOf(year: number, month: number, day: number): number | undefined {
  const { midnight } = lastDay;
  if (day === lastDay.day && month === lastDay.month && year === lastDay.year) return midnight;
  lastDay = { year, month, day, midnight: calendarDay(year, month, day) };
  return lastDay.midnight;
}

/** Undefined for a day that no calendar has: Date rolls February 30 over into March, and year 99 into 1999. */
function calendarDay(year: number, month: number, day: number): number | undefined {
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? date.getTime() : undefined;
}
