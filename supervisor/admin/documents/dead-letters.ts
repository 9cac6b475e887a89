/** Dead letters as the routes and the command `dead` show them. */
import type { FailedAttempt } from '../../../src/domain/failures/failed-attempt.js';
import type { DeadLetterEntry } from '../../../src/queue/dead-letters/entry.js';
import type { DeadLetterPage } from '../../../src/queue/dead-letters/listing.js';
import type { DeadLetterProgress } from '../../../src/queue/dead-letters/run.js';
import { failureDocument } from './failures.js';
import { isText } from './messages.js';
import {
  SCHEMA_VERSION,
  type DeadLetterDetails,
  type DeadLetterList,
  type DeadLetterRunAnswer,
  type DeadLetterSummary,
} from '../protocol.js';

export function summaryOf(entry: DeadLetterEntry): DeadLetterSummary {
  const { place, unique, messageId, client, domain, reason, letter, storedBytes } = entry;
  return {
    number: place,
    key: unique,
    message_id: messageId ?? null,
    client_id: client ?? null,
    domain: domain ?? null,
    reason,
    error: letter?.error ?? 'This is no dead letter that a worker wrote.',
    attempt_count: letter?.attemptCount ?? 0,
    worker_id: letter?.workerId ?? '',
    dead_at: letter?.deadAt ?? null,
    size_bytes: letter?.rawBytes ?? storedBytes,
    last_failure: lastOf(letter?.failures),
  };
}

/** @param mostBytes longer messages are cut. */
export function detailsOf(entry: DeadLetterEntry, mostBytes: number): DeadLetterDetails {
  const raw = entry.letter?.raw ?? entry.stored;
  const shown = raw.subarray(0, mostBytes);
  return {
    schema_version: SCHEMA_VERSION,
    ...summaryOf(entry),
    ...(isText(raw) ? { message: shown.toString('utf8') } : { message_base64: shown.toString('base64') }),
    message_truncated: shown.length < raw.length || entry.stored.length < entry.storedBytes,
    failures: (entry.letter?.failures ?? []).map(failureDocument),
  };
}

function lastOf(failures: readonly FailedAttempt[] = []): DeadLetterSummary['last_failure'] {
  const last = failures.at(-1);
  return last ? { at: last.at, reason: last.reason, status: last.status ?? null } : null;
}

export function listDocument({
  total,
  looked,
  entries,
  hasMore,
  cursor,
  unmoved,
}: DeadLetterPage<DeadLetterSummary>): DeadLetterList {
  return {
    schema_version: SCHEMA_VERSION,
    total,
    looked_at: looked,
    unmoved,
    shown: entries.length,
    has_more: hasMore,
    cursor: cursor ?? null,
    letters: entries,
  };
}

export function runDocument(
  { seen, total, meant, done, unreadable, beingTold }: DeadLetterProgress,
  dryRun: boolean,
): DeadLetterRunAnswer {
  const told = beingTold && { being_told: beingTold.letters, again_in_seconds: Math.ceil(beingTold.againInMs / 1_000) };
  return { schema_version: SCHEMA_VERSION, dry_run: dryRun, total, seen, matched: meant, done, unreadable, ...told };
}
