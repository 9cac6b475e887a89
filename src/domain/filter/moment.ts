import { parseQueuedAt } from '../queued-at.js';

const ABSOLUTE = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:[.,]\d+)?)?([Zz]|[+ -]\d\d:?\d\d)$/;

/** What an operator may write, as it completes "it must be ...". */
export const MOMENT_EXPECTED = 'a time with its zone, such as 2026-01-15T10:30Z or 2026-01-15T10:30:00+01:00';

/**
 * A point in time in ISO 8601, seconds optional, the zone not: an operator's and the host's would often be different ones.
 * A blank before the zone is the plus that a query of HTTP made of it.
 *
 * @returns ms since the Unix epoch; undefined when it is none.
 */
export function parseMoment(text: string): number | undefined {
  const parts = ABSOLUTE.exec(text);
  if (!parts) return undefined;
  const [, day, minute, second = ':00', zone = ''] = parts;
  return parseQueuedAt(`${day}T${minute}${second}${zone.replace(' ', '+')}`);
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const TIME_SPAN_EXPECTED = 'a time such as 90s, 15m, 2h or 7d';

/** `90s`, `15m`, `2h`, `1.5d`, `90` = seconds, in ms. */
export function parseTimeSpan(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)([smhd]?)$/.exec(text);
  return match ? Number(match[1]) * (UNITS[match[2] || 's'] ?? 1_000) : undefined;
}
