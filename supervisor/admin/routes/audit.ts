import type { AuditEntry } from '../../../src/domain/audit/deed.js';
import type { Config } from '../../../src/shared/config/config.js';
import type { Clock } from '../../../src/shared/time/clock.js';
import { readFields, wholeNumber } from '../fields.js';
import { SCHEMA_VERSION, type Requests } from '../protocol.js';
import { route, type Route } from '../route.js';
import type { AuditDocument, AuditEntryDocument } from '../shapes/deeds.js';
import { answerFromQueue } from './on-queue.js';

const DEFAULT_LIMIT = 50;
const MOST = 10_000;
/** The last that has an ISO form. */
const LATEST_MS = 8.64e15;

export function auditRoute(config: () => Config, clock: Clock): Route {
  return route('audit', ({ fields }) => {
    const { limit = DEFAULT_LIMIT } = readFields<Requests['audit']>(fields, { limit: wholeNumber(1, MOST) });
    return answerFromQueue(config(), clock, async ({ audit }) => auditDocument(await audit.list(limit)));
  });
}

/** Also what `audit --json` prints. */
export function auditDocument(entries: readonly AuditEntry[]): AuditDocument {
  return { schema_version: SCHEMA_VERSION, entries: entries.map(entryDocument) };
}

function entryDocument({ id, atMs, action, who, where, filter, count, detail }: AuditEntry): AuditEntryDocument {
  return {
    id,
    at: atMs <= LATEST_MS ? new Date(atMs).toISOString() : null,
    action,
    who,
    where,
    filter: filter === undefined ? null : parsedOr(filter),
    count: count ?? null,
    detail: detail ?? null,
  };
}

/** One that was cut, or written by another program, is a text. */
function parsedOr(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
