/**
 * The control surface: where it is asked, what is sent, what comes back. The routes that answer, the commands that ask and
 * the page in the browser all have it from here. The page runs this very file, so it imports nothing but types.
 *
 * What goes wrong is answered with an ErrorAnswer, and the status says whose turn it is: 400 a field, a body or a path that
 * cannot be, 401 the token is missing or wrong, 403 not over TCP or not from there, 404 no such route, worker or letter,
 * 405 another method, 409 not now, 413 too long, 500 it was tried and failed, 503 Redis or the supervisor is away, 507 Redis
 * has no room.
 */
import type { HealthDocument, ReadinessDocument, ShownState, StatusDocument } from '../status/status-document.js';
import type { AuditDocument, PauseAnswer, ResumeAnswer } from './shapes/deeds.js';
import type { SamplesEvent, StatusEvent } from '../status/status-events.js';

export interface Place {
  readonly method: 'GET' | 'POST';
  /** Segments that begin with `:` match any one segment. */
  readonly path: `/${string}`;
  /** `admin` changes something or shows what is in messages: on TCP it needs the token. */
  readonly access: 'open' | 'admin';
  /** Fields with which an open route is `admin`: an answer to them tells what is in messages. */
  readonly adminFields?: readonly string[];
}

/** What a request needs that sends these fields. */
export function accessOf({ access, adminFields = [] }: Place, fields: object = {}): Place['access'] {
  return adminFields.some((name) => Object.hasOwn(fields, name)) ? 'admin' : access;
}

export const ROUTES = {
  health: { method: 'GET', path: '/health', access: 'open' },
  ready: { method: 'GET', path: '/ready', access: 'open' },
  status: { method: 'GET', path: '/status', access: 'open' },
  /** In Prometheus's text format, as workerMetrics. */
  metrics: { method: 'GET', path: '/metrics', access: 'open' },
  workerMetrics: { method: 'GET', path: '/metrics/workers', access: 'open' },
  /** Server-sent: Events. */
  events: { method: 'GET', path: '/events', access: 'open' },
  page: { method: 'GET', path: '/', access: 'open' },
  pageFile: { method: 'GET', path: '/dashboard/:file', access: 'open' },
  pageFolderFile: { method: 'GET', path: '/dashboard/:folder/:file', access: 'open' },
  reload: { method: 'POST', path: '/reload', access: 'admin' },
  scale: { method: 'POST', path: '/scale', access: 'admin' },
  restart: { method: 'POST', path: '/workers/:id/restart', access: 'admin' },
  stop: { method: 'POST', path: '/stop', access: 'admin' },
  deadLetters: { method: 'GET', path: '/dead', access: 'open', adminFields: ['text', 'answer'] },
  deadLetter: { method: 'GET', path: '/dead/:letter', access: 'admin' },
  failures: { method: 'GET', path: '/failures', access: 'open' },
  replay: { method: 'POST', path: '/dead/replay', access: 'admin' },
  purge: { method: 'POST', path: '/dead/purge', access: 'admin' },
  retryMessages: { method: 'POST', path: '/messages/retry', access: 'admin' },
  cancelMessages: { method: 'POST', path: '/messages/cancel', access: 'admin' },
  retryMessage: { method: 'POST', path: '/messages/:id/retry', access: 'admin' },
  cancelMessage: { method: 'POST', path: '/messages/:id/cancel', access: 'admin' },
  /** A filter may hold a text out of a message. */
  audit: { method: 'GET', path: '/audit', access: 'admin' },
  history: { method: 'GET', path: '/history', access: 'open' },
  pause: { method: 'POST', path: '/pause', access: 'admin' },
  resume: { method: 'POST', path: '/resume', access: 'admin' },
} as const satisfies Readonly<Record<string, Place>>;

/** Over the socket: who asks, percent-encoded; whoever may open it may act in any name. */
export const OPERATOR_HEADER = 'x-operator';

/** Of documents that have a version: it changes when something is taken away or means something else. */
export const SCHEMA_VERSION = 1;

export type RouteName = keyof typeof ROUTES;

/** What is sent: the path's segments, and with them the query of a GET or the body of a POST. */
export interface Requests {
  scale: { readonly workers: number };
  restart: { readonly id: string };
  /** `now`: hand back what is in flight in place of waiting for it. */
  stop: { readonly now?: boolean };
  /** `cursor`: of an earlier answer, to go on behind it. */
  deadLetters: DeadLetterFields & { readonly limit?: number; readonly cursor?: string };
  /** Its number, its key or its message's id. */
  deadLetter: { readonly letter: string };
  failures: FailureFields;
  replay: DeadLetterRunFields;
  purge: DeadLetterRunFields;
  retryMessages: MessageRunFields;
  cancelMessages: MessageRunFields;
  retryMessage: { readonly id: string };
  cancelMessage: { readonly id: string };
  audit: { readonly limit?: number };
  history: { readonly days?: number; readonly by?: HistoryDocument['by'] };
  /** Without `for_seconds` somebody has to end it. */
  pause: { readonly reason?: string; readonly for_seconds?: number };
}

/** What a success is answered with, as JSON; of health and ready, of a reload and of a pause, a failure too. */
export interface Answers {
  /** 503: a restart may help. */
  health: HealthDocument;
  /** 503: not ready. */
  ready: ReadinessDocument;
  status: StatusDocument;
  /** 500: the old configuration serves on. */
  reload: ReloadAnswer;
  scale: { readonly workers_before: number; readonly workers_wanted: number };
  restart: { readonly id: string; readonly pid: number | null };
  /** 202: it has begun to stop. */
  stop: { readonly stopping: true; readonly pid: number };
  deadLetters: DeadLetterList;
  deadLetter: DeadLetterDetails;
  failures: FailuresDocument;
  replay: DeadLetterRunAnswer;
  purge: DeadLetterRunAnswer;
  retryMessages: MessageRunAnswer;
  cancelMessages: MessageRunAnswer;
  retryMessage: MessageRunAnswer;
  cancelMessage: MessageRunAnswer;
  audit: AuditDocument;
  history: HistoryDocument;
  /** 500: it stands, and not all have confirmed it; or it is over already. */
  pause: PauseAnswer;
  resume: ResumeAnswer;
}

/** What `events` sends. */
export interface Events {
  /** Each second. */
  status: StatusEvent;
  /** First all that are kept, then each new one. */
  samples: SamplesEvent;
}

export interface ErrorAnswer {
  /** A sentence for the operator. */
  readonly error: string;
}

export interface ReloadAnswer {
  readonly ok: boolean;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly reason: string | null;
  /** The reason once more, as in every ErrorAnswer. */
  readonly error?: string;
  readonly workers: readonly ReloadedWorker[];
  /** How many were wanted before it, and are wanted now. */
  readonly workers_before: number;
  readonly workers_wanted: number;
  /** What else the operator should know, a sentence each. */
  readonly remarks: readonly string[];
}

interface ReloadedWorker {
  readonly id: string;
  readonly pid: number | null;
  readonly state: ShownState;
  /** It has another process than before. */
  readonly replaced: boolean;
}

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

/** A failed attempt, as it is kept with its message. */
export interface FailureDocument {
  readonly at: string;
  readonly reason: string;
  readonly status: number | null;
  /** Its first 200 characters, without any that do not print; null = none was kept. */
  readonly answer: string | null;
  readonly worker_id: string;
}

/** Which failed attempts are put together, and by what; without a time those of the last hour. */
export interface FailureFields {
  readonly by?: 'reason' | 'client' | 'domain' | 'status';
  readonly since?: string;
  readonly newer_than_seconds?: number;
  readonly reason?: string;
  readonly client?: string;
  readonly domain?: string;
}

export interface FailuresDocument {
  readonly schema_version: 1;
  /** Counted by the hour: the beginning of the first one, ISO 8601. */
  readonly since: string;
  readonly by: 'reason' | 'client' | 'domain' | 'status';
  /** Of messages that have been delivered since, too. */
  readonly attempts: number;
  /** The most attempts first. */
  readonly groups: readonly FailureGroupDocument[];
  /** Further attempts of which only the number is known: there were more than 1,000 different ones in their hour. */
  readonly other_attempts: number;
}

export interface FailureGroupDocument {
  /** The reason, client, domain or status; null = the message does not say, or there was no answer. */
  readonly name: string | null;
  readonly attempts: number;
  readonly first_at: string;
  readonly last_at: string;
  readonly example_message_id: string;
  /** The most frequent first. */
  readonly reasons: readonly string[];
  readonly clients: number;
  readonly domains: number;
}

export interface DeadLetterDetails extends DeadLetterSummary {
  /** The message's text; of one that is not UTF-8 there is `message_base64`. */
  readonly message?: string;
  readonly message_base64?: string;
  readonly message_truncated: boolean;
  /** Its last failed attempts, the oldest first. */
  readonly failures: readonly FailureDocument[];
}

export interface DeadLetterRunAnswer {
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

/** What the workers of all hosts did, by Redis's clock. */
export interface HistoryDocument {
  readonly schema_version: number;
  readonly queue: string;
  readonly days: number;
  readonly by: 'minute' | 'hour' | 'day';
  /** Now; ISO 8601, UTC, as `from`. */
  readonly at: string;
  /** The oldest first, one for each unit of time; by minute without those in which nothing happened. */
  readonly rows: readonly HistoryRow[];
  /** Of all rows. */
  readonly total: HistoryNumbers;
}

interface HistoryRow extends HistoryNumbers {
  readonly from: string;
}

export interface HistoryNumbers {
  /** Beside Python workers and earlier versions at least. */
  readonly arrived: number;
  readonly delivered: number;
  /** Attempts. */
  readonly failed: number;
  readonly retried: number;
  /** By workers. */
  readonly buried: number;
  /** Of the message that waited longest, at any look; 0 = none waited, or its age could not be read. */
  readonly oldest_wait_seconds: number;
  /** At any look. */
  readonly most_waiting: number;
}

/** What is asked of a route beside its name; nothing where nothing can be sent. */
export type Asked<Name extends RouteName> = Name extends keyof Requests
  ? Partial<Requests[Name]> extends Requests[Name]
    ? [fields?: Requests[Name]]
    : [fields: Requests[Name]]
  : [];

export interface Address {
  /** Relative to where the supervisor answers, so that it also holds behind a proxy's prefix; with the query. */
  readonly url: string;
  /** What is neither in the path nor in the query. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Puts the fields where they go: into the path, the query of a GET, the body of a POST. */
export function addressOf({ method, path }: Place, fields: object = {}): Address {
  const left: Record<string, unknown> = { ...fields };
  const url = path.slice(1).replace(/:(\w+)/g, (_, name: string) => {
    const text = String(left[name]);
    delete left[name];
    return encodeURIComponent(text);
  });
  if (method === 'POST') return { url, body: left };
  const query = Object.entries(left).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return { url: query.length === 0 ? url : `${url}?${query.join('&')}`, body: {} };
}
