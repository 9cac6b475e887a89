/** Messages, wherever they lie, as routes and commands show them: a part of the protocol. */
import type { DeadLetterFields } from './dead-letters.js';
import type { FailureDocument } from './failures.js';

/** Which messages are meant; what is left out restricts nothing. */
export interface MessageFields extends DeadLetterFields {
  /** Places, with commas between them. */
  readonly in?: string;
  readonly due_within_seconds?: number;
}

export interface MessageListFields extends MessageFields {
  readonly limit?: number;
  /** `next` of an earlier answer: it goes on there. */
  readonly after?: string;
}

export interface MessageList {
  readonly schema_version: number;
  /** Messages in the places that were asked for, whatever the filter. */
  readonly total: number;
  /** For this answer so many have been looked at: over HTTP one takes 100 ms at most. */
  readonly looked_at: number;
  /** Claimed ones first, then retries from the one due first, waiting ones and dead letters from the newest. */
  readonly messages: readonly MessageSummary[];
  /** Where a next page begins; null = there are no more. */
  readonly next: string | null;
}

/** A message without what it says, and without what was answered to it. */
export type MessageSummary = MessageWhere & {
  readonly message_id: string | null;
  readonly client_id: string | null;
  readonly domain: string | null;
  /** Failed attempts so far. */
  readonly attempt_count: number;
  /** ISO 8601, UTC. */
  readonly queued_at: string | null;
  readonly size_bytes: number;
  /** Null when none is kept. */
  readonly last_failure: Pick<FailureDocument, 'at' | 'reason' | 'status'> | null;
};

type MessageWhere = Waiting | Claimed | Retrying | Dead;

interface Waiting {
  readonly place: 'waiting';
  /** 1 = it is claimed next. */
  readonly number: number;
}

interface Claimed {
  /** Claimed, and not begun: `held`. */
  readonly place: 'in_flight' | 'held';
  /** Its delivery has begun; null = its worker was not asked or has not answered: it may be held. */
  readonly begun: boolean | null;
  readonly worker_id: string;
  readonly host: string | null;
}

interface Retrying {
  readonly place: 'retry';
  /** 0 = now. */
  readonly due_in_seconds: number;
  /** How long it waits in all; null = an earlier build scheduled it. */
  readonly interval_seconds: number | null;
}

interface Dead {
  readonly place: 'dead';
  /** Of the letter, as /dead has it. */
  readonly key: string;
  readonly number: number;
  readonly reason: string;
  readonly error: string;
  readonly dead_at: string | null;
}

/** Where a message is, and what happened to it. */
export interface MessageDetails {
  readonly schema_version: number;
  readonly message_id: string;
  /** Empty: delivered, removed, or never seen. An id may be in the queue more than once. */
  readonly places: readonly MessageCopy[];
  /** Of the copy that failed most often; null when there is none. */
  readonly attempt_count: number | null;
  /** The last failed attempts that are kept, the oldest first. */
  readonly failures: readonly FailureDocument[];
}

export type MessageCopy = MessageSummary & {
  /** The message's text; of one that is not UTF-8 there is `message_base64`. */
  readonly message?: string;
  readonly message_base64?: string;
  readonly message_truncated: boolean;
};

/** Which waiting messages and retries are meant; what is left out restricts nothing. */
export interface MessageRunFields {
  /** Of the last failed attempt. */
  readonly reason?: string;
  readonly client?: string;
  readonly domain?: string;
  readonly id?: string;
  readonly ids?: readonly string[];
  readonly id_prefix?: string;
  readonly text?: string;
  readonly answer?: string;
  /** Since they were queued. */
  readonly older_than_seconds?: number;
  readonly newer_than_seconds?: number;
  readonly since?: string;
  readonly until?: string;
  readonly due_within_seconds?: number;
  readonly dry_run?: boolean;
  /** Without a filter it is needed. */
  readonly all?: boolean;
}

/** Of a retry or a cancel. */
export interface MessageRunAnswer {
  readonly schema_version: number;
  readonly dry_run: boolean;
  readonly total: number;
  readonly seen: number;
  /** Of those seen, what the filter means. */
  readonly matched: number;
  /** Of these, made due or cancelled. */
  readonly done: number;
  /** Of those matched, retries that are due, or due as soon as they may be. */
  readonly already_due: number;
  /** Of those done, retries that are due within so many seconds: a status of their last attempt may be on its way until then. */
  readonly due_later: number;
  readonly due_later_seconds: number;
  /** Of those matched, retries that stay as they are. */
  readonly of_earlier_version: number;
  /** It ended before it was through. */
  readonly interrupted: boolean;
  /** What a dry run has met, the first 1,000. */
  readonly messages?: readonly { readonly place: 'retry' | 'waiting'; readonly message_id: string | null }[];
}
