/** Dead letters as the routes and the command `dead` show them. */
import type { DeadLetterEntry } from '../../src/queue/dead-letter-entry.js';
import type { DeadLetterPage, DeadLetterProgress } from '../../src/queue/dead-letters.js';
import type { DeadLetterDetails, DeadLetterList, DeadLetterRunAnswer, DeadLetterSummary } from './protocol.js';

export function summaryOf({ number, key, messageId, letter, stored }: DeadLetterEntry): DeadLetterSummary {
  return {
    number,
    key,
    message_id: messageId ?? null,
    reason: letter?.reason ?? 'unreadable',
    error: letter?.error ?? 'This is no dead letter that a worker wrote.',
    attempt_count: letter?.attemptCount ?? 0,
    worker_id: letter?.workerId ?? '',
    dead_at: letter?.deadAt ?? null,
    size_bytes: (letter?.raw ?? stored).length,
  };
}

/** @param mostBytes longer messages are cut. */
export function detailsOf(entry: DeadLetterEntry, mostBytes: number): DeadLetterDetails {
  const raw = entry.letter?.raw ?? entry.stored;
  const shown = raw.subarray(0, mostBytes);
  // a cut may split a character, so the whole decides
  const text = raw.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(raw);
  return {
    ...summaryOf(entry),
    ...(isText ? { message: shown.toString('utf8') } : { message_base64: shown.toString('base64') }),
    message_truncated: shown.length < raw.length,
  };
}

export function listDocument({ total, entries, hasMore }: DeadLetterPage<DeadLetterSummary>): DeadLetterList {
  return { total, shown: entries.length, has_more: hasMore, letters: entries };
}

export function runDocument(
  { seen, total, meant, done, unreadable }: DeadLetterProgress,
  dryRun: boolean,
): DeadLetterRunAnswer {
  return { dry_run: dryRun, total, seen, matched: meant, done, unreadable };
}
