/** What operators did that may be seen in the flow of messages, out of the audit. Pure. */
import type { AuditEntry } from '../../../src/domain/audit/deed.js';
import type { HistoryMark } from '../protocol.js';

const KINDS: readonly string[] = [
  'reload',
  'restart',
  'scale',
  'stop',
  'pause',
  'resume',
] satisfies HistoryMark['kind'][];
/** The last that has an ISO form. */
const LATEST_MS = 8.64e15;

/** @param entries the newest first. */
export function marksOf(entries: readonly AuditEntry[]): readonly HistoryMark[] {
  const known = entries.filter(({ action, atMs }) => KINDS.includes(action) && atMs <= LATEST_MS).reverse();
  return known.map(({ action, atMs, detail = '' }, place) => ({
    at: new Date(atMs).toISOString(),
    kind: action as HistoryMark['kind'],
    text: detail,
    until: action === 'pause' ? endOf({ atMs, detail }, known.slice(place + 1)) : null,
  }));
}

/** By itself, by `resume`, or by the pause that took its place: whichever came first. */
function endOf(pause: { readonly atMs: number; readonly detail: string }, later: readonly AuditEntry[]): string | null {
  const next = later.find(({ action }) => action === 'resume' || action === 'pause')?.atMs ?? Infinity;
  const end = Math.min(next, pause.atMs + (pausedSeconds(pause.detail) ?? Infinity) * 1_000);
  return end <= LATEST_MS ? new Date(end).toISOString() : null;
}

/** As `pauseDetail` has put it down. */
function pausedSeconds(detail: string): number | undefined {
  const [, seconds] = /^for (\d+) s(?:: |$)/.exec(detail) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}

/** What the audit says of a pause. @param seconds undefined = until somebody ends it. */
export function pauseDetail(seconds: number | undefined, why: string): string {
  const until = seconds === undefined ? [] : [`for ${seconds} s`];
  return [...until, ...(why === '' ? [] : [why])].join(': ');
}
