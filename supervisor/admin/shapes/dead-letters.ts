/** Dead letters as routes answer and take them: a part of the protocol. */
import type { FailureDocument } from './failures.js';

/** Which dead letters are meant; what is left out restricts nothing. */
export interface DeadLetterFields {
  readonly reason?: string;
  /** Of the message: `client_id` and `domain`. */
  readonly client?: string;
  readonly domain?: string;
  /** A message id or the key of a letter. */
  readonly id?: string;
  readonly id_prefix?: string;
  /** Stands in the message or in the error. */
  readonly text?: string;
  /** Stands in what the main server answered last. */
  readonly answer?: string;
  readonly older_than_seconds?: number;
  readonly newer_than_seconds?: number;
  /** ISO 8601 with a zone. */
  readonly since?: string;
  readonly until?: string;
}

export interface DeadLetterRunFields extends DeadLetterFields {
  /** Message ids or keys of letters, in place of `id`. */
  readonly ids?: readonly string[];
  /** Counts and changes nothing. */
  readonly dry_run?: boolean;
  /** A replay or a purge without a filter needs it. */
  readonly all?: boolean;
}

export interface DeadLetterList {
  readonly schema_version: number;
  /** Dead letters, whatever the filter. */
  readonly total: number;
  /** Of these, from the newest on, so many have been looked at: an answer takes 100 ms at most. */
  readonly looked_at: number;
  /** Of these, letters of an earlier version that cannot be listed yet, since they are being moved. */
  readonly unmoved: number;
  readonly shown: number;
  /** More match, or may be among those not looked at. */
  readonly has_more: boolean;
  /** Where a next page begins. */
  readonly cursor: string | null;
  /** The newest first. */
  readonly letters: readonly DeadLetterSummary[];
}

/** A dead letter without its message. */
export interface DeadLetterSummary {
  /** 1 = the newest; changes as letters come and go. */
  readonly number: number;
  /** The letter's own for ever. */
  readonly key: string;
  readonly message_id: string | null;
  readonly client_id: string | null;
  readonly domain: string | null;
  /** `unreadable` = this is no envelope of ours. */
  readonly reason: string;
  readonly error: string;
  readonly attempt_count: number;
  readonly worker_id: string;
  readonly dead_at: string | null;
  readonly size_bytes: number;
  /** Why the last attempt failed; null = not known. */
  readonly last_failure: Pick<FailureDocument, 'at' | 'reason' | 'status'> | null;
}

export interface DeadLetterDetails extends DeadLetterSummary {
  readonly schema_version: number;
  /** The message's text; of one that is not UTF-8 there is `message_base64`. */
  readonly message?: string;
  readonly message_base64?: string;
  readonly message_truncated: boolean;
  /** Its last failed attempts, the oldest first. */
  readonly failures: readonly FailureDocument[];
}

export interface DeadLetterRunAnswer {
  readonly schema_version: number;
  readonly dry_run: boolean;
  readonly total: number;
  readonly seen: number;
  /** Of those seen, what the filter means. */
  readonly matched: number;
  /** Of these, moved or deleted. */
  readonly done: number;
  /** Of these, left where they are because they are no envelopes of ours. */
  readonly unreadable: number;
  /** Of these, left where they are because the main server is being told of them now; missing when there are none. */
  readonly being_told?: number;
  readonly again_in_seconds?: number;
}
