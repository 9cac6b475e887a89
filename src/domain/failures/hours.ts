/** The counts of failed attempts are kept for so many days. */
export const COUNTS_DAYS = 8;
const HOUR_MS = 3_600_000;

/** The name of an hour: `2025-01-15T10`, in UTC. */
export function hourOf(at: number): string {
  return new Date(at).toISOString().slice(0, 13);
}

/** Where the first hour begins that is looked at: that of `since`, or the first of which there may be counts. */
export function hourBegin(since: number, now: number): number {
  const first = Math.max(since, now - COUNTS_DAYS * 24 * HOUR_MS);
  return Math.floor(Math.min(first, now) / HOUR_MS) * HOUR_MS;
}

/** From that hour to that of `now`, the oldest first. */
export function failureHours(now: number, since = -Infinity): readonly string[] {
  const hours: string[] = [];
  for (let at = hourBegin(since, now); at <= now; at += HOUR_MS) hours.push(hourOf(at));
  return hours;
}
