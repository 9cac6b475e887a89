/** Numbers as people read them. Pure. */

export const UNKNOWN = '–';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function count(value: number | null): string {
  return value === null ? UNKNOWN : grouped.format(value);
}

/** For axes: 12k, 1.5M. */
export function short(value: number): string {
  if (value >= 1_000_000) return `${trimmed(value / 1_000_000)}M`;
  if (value >= 1_000) return `${trimmed(value / 1_000)}k`;
  return trimmed(value);
}

export function rate(value: number | null): string {
  if (value === null) return UNKNOWN;
  return value === 0 || value >= 100 ? grouped.format(value) : value.toFixed(value < 1 ? 2 : 1);
}

/** `4.2 ms`, `350 ms`, `1.2 s`, `45 s`, `12m 30s`, `5h 12m`, `3d 4h`. */
export function duration(seconds: number | null): string {
  if (seconds === null) return UNKNOWN;
  if (seconds === 0) return '0 s';
  if (seconds < 0.01) return `${(seconds * 1_000).toFixed(1)} ms`;
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return longDuration(Math.floor(seconds));
}

/** Whole seconds: `0 s`, `45 s`, `12m 30s`, ... */
export function longDuration(whole: number): string {
  if (whole < 60) return `${whole} s`;
  const [d, h, m] = [Math.floor(whole / 86_400), Math.floor(whole / 3_600) % 24, Math.floor(whole / 60) % 60];
  if (d > 0) return `${d}d ${h}h`;
  return h > 0 ? `${h}h ${m}m` : `${m}m ${whole % 60}s`;
}

/** `398 days`; below two days in hours and minutes. */
export function days(seconds: number): string {
  return seconds < 172_800 ? longDuration(Math.floor(seconds)) : `${grouped.format(Math.floor(seconds / 86_400))} days`;
}

export function percent(value: number | null): string {
  return value === null ? UNKNOWN : `${Math.round(value)} %`;
}

/** Of one: `100 %`, `99.2 %`; never 100 while something is missing. */
export function share(value: number): string {
  if (value === 1) return '100 %';
  const tenths = Math.floor(value * 1_000) / 10;
  return tenths >= 90 ? `${tenths.toFixed(1)} %` : `${Math.floor(tenths)} %`;
}

export function bytes(value: number | null): string {
  if (value === null) return UNKNOWN;
  if (value < 1_024) return `${value} B`;
  if (value < 1_048_576) return `${Math.round(value / 1_024)} KiB`;
  return value < 1_073_741_824 ? `${Math.round(value / 1_048_576)} MiB` : `${(value / 1_073_741_824).toFixed(1)} GiB`;
}

/** Local time of day, on a 24-hour clock. */
export function clockTime(ms: number, withSeconds = true): string {
  const date = new Date(ms);
  const parts = [date.getHours(), date.getMinutes(), ...(withSeconds ? [date.getSeconds()] : [])];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** `01-15`, local. */
export function dayAndMonth(ms: number): string {
  return dateTime(new Date(ms).toISOString()).slice(5, 10);
}

/** Of the times on this page: `Europe/Berlin (UTC+01:00)`. */
export function zone(now = Date.now()): string {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name === 'UTC' ? name : `${name} (${offset(now)})`;
}

/** Of the local time then: `UTC`, `UTC+01:00`. */
export function offset(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const parts = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '-' : '+'}${parts.map((part) => String(part).padStart(2, '0')).join(':')}`;
}

/** `2025-01-15 10:30:45 UTC+01:00`, local. */
export function dateTime(iso: string | null): string {
  const date = new Date(iso ?? '');
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'));
  return `${day.join('-')} ${clockTime(date.getTime())} ${offset(date.getTime())}`;
}

export function ago(iso: string | null, now: number): string {
  const at = Date.parse(iso ?? '');
  return Number.isNaN(at) ? UNKNOWN : `${longDuration(Math.max(0, Math.floor((now - at) / 1_000)))} ago`;
}

function trimmed(value: number): string {
  return String(Math.round(value * 100) / 100);
}
