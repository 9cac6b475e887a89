/** What operators do, as it is kept in the audit: fields of an entry of a stream. Pure. */

/** Who does it. */
export interface Operator {
  /** A user of a host, one who has the token, or a signal. */
  readonly who: string;
  /** A host or the address of a peer. */
  readonly where: string;
}

type Action =
  | 'pause'
  | 'resume'
  | 'scale'
  | 'reload'
  | 'restart'
  | 'stop'
  | 'retry'
  | 'cancel'
  | 'erase'
  | 'replay'
  | 'purge'
  | 'expire'
  | 'import'
  | 'send';

/** What was done, whoever did it. */
export interface Act {
  readonly action: Action;
  /** What it was restricted to, as it was asked for; lists are kept with their first members. */
  readonly filter?: object | undefined;
  /** Messages, letters, ... to which it was done. */
  readonly count?: number | undefined;
  /** A few words more: `3 → 5`, `worker-2`, why. */
  readonly detail?: string | undefined;
}

export interface Deed extends Act, Operator {}

/** A deed as it is kept. What another program wrote may lack anything. */
export interface AuditEntry extends Operator {
  /** The stream's own: grows with each entry. */
  readonly id: string;
  /** By the clock of Redis, ms since the Unix epoch; NaN = it does not say. */
  readonly atMs: number;
  readonly action: string;
  /** JSON. */
  readonly filter: string | undefined;
  readonly count: number | undefined;
  readonly detail: string | undefined;
}

/** An entry has at most 5 KB, and mostly 200 bytes. */
const TEXT_LENGTH = 300;
const FILTER_LENGTH = 2_000;
const FIRST_MEMBERS = 10;

/** Names and values in turn. */
export function auditFields({ action, who, where, filter, count, detail }: Deed): string[] {
  const fields = { action, who: cut(who), where: cut(where), filter: filterText(filter), count, detail: cut(detail) };
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
}

export function readAuditEntry(id: string, fields: readonly string[]): AuditEntry {
  const found = new Map<string, string>();
  for (let at = 0; at + 1 < fields.length; at += 2) found.set(fields[at] ?? '', fields[at + 1] ?? '');
  const count = Number(found.get('count') ?? NaN);
  return {
    id,
    atMs: Number(id.split('-')[0] || NaN),
    action: found.get('action') ?? '',
    who: found.get('who') ?? '',
    where: found.get('where') ?? '',
    filter: found.get('filter'),
    count: Number.isFinite(count) ? count : undefined,
    detail: found.get('detail'),
  };
}

/** undefined = it restricts nothing. */
function filterText(filter: object | undefined): string | undefined {
  const text = JSON.stringify(filter, (_, value: unknown) => shortened(value)) ?? '{}';
  return text === '{}' ? undefined : cut(text, FILTER_LENGTH);
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  if (!Array.isArray(value) || value.length <= FIRST_MEMBERS) return value;
  return [...(value as unknown[]).slice(0, FIRST_MEMBERS), `and ${value.length - FIRST_MEMBERS} more`];
}

function cut(text: string, length?: number): string;
function cut(text: string | undefined, length?: number): string | undefined;
function cut(text: string | undefined, length = TEXT_LENGTH): string | undefined {
  return text !== undefined && text.length > length ? `${text.slice(0, length)}…` : text;
}
