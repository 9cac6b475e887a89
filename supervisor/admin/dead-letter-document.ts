import { DEAD_LETTER_REASONS, type DeadLetterReason } from '../../src/domain/dead-letter.js';
import type { DeadLetterEntry } from '../../src/queue/dead-letter-entry.js';
import type { DeadLetterPage, DeadLetterProgress } from '../../src/queue/dead-letters.js';

/** A dead letter without its message, as the CLI and the admin server show it. */
export interface DeadLetterSummary {
  /** 1 = the newest; changes as letters come and go. */
  readonly number: number;
  /** The letter's own for ever. */
  readonly key: string;
  readonly message_id: string | null;
  /** `unreadable` = this is no envelope of ours. */
  readonly reason: string;
  readonly error: string;
  readonly attempt_count: number;
  readonly worker_id: string;
  readonly dead_at: string | null;
  readonly size_bytes: number;
}

export interface DeadLetterDetails extends DeadLetterSummary {
  /** The message's text; of one that is not UTF-8 there is `message_base64`. */
  readonly message?: string;
  readonly message_base64?: string;
  readonly message_truncated: boolean;
}

export const REASONS: readonly DeadLetterReason[] = DEAD_LETTER_REASONS;

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

export function listDocument({ total, entries, hasMore }: DeadLetterPage<DeadLetterSummary>) {
  return { total, shown: entries.length, has_more: hasMore, letters: entries };
}

export function runDocument({ seen, total, meant, done, unreadable }: DeadLetterProgress, dryRun: boolean) {
  return { dry_run: dryRun, total, seen, matched: meant, done, unreadable };
}
