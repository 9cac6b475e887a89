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
import type { ClaimsDocument } from './shapes/claims.js';
import type { AuditDocument, PauseAnswer, ResumeAnswer } from './shapes/deeds.js';
import type { SamplesEvent, StatusEvent } from '../status/status-events.js';
import type {
  DeadLetterDetails,
  DeadLetterFields,
  DeadLetterList,
  DeadLetterRunAnswer,
  DeadLetterRunFields,
} from './shapes/dead-letters.js';
import type { FleetDocument } from './shapes/fleet.js';
import type { FailureFields, FailuresDocument } from './shapes/failures.js';
import type { HistoryDocument } from './shapes/history.js';
import type { Origin } from './shapes/origin.js';
import type {
  MessageDetails,
  MessageList,
  MessageListFields,
  MessageRunAnswer,
  MessageRunFields,
} from './shapes/messages.js';

export type * from './shapes/claims.js';
export type * from './shapes/dead-letters.js';
export type * from './shapes/deeds.js';
export type * from './shapes/failures.js';
export type * from './shapes/fleet.js';
export type * from './shapes/history.js';
export type * from './shapes/messages.js';
export type * from './shapes/origin.js';

export interface Place {
  readonly method: 'GET' | 'POST';
  /** Segments that begin with `:` match any one segment. */
  readonly path: `/${string}`;
  /** `admin` changes something or shows what is in messages: on TCP it needs the token. `socket` is not for TCP. */
  readonly access: 'open' | 'admin' | 'socket';
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
  messages: { method: 'GET', path: '/messages', access: 'open', adminFields: ['text', 'answer'] },
  message: { method: 'GET', path: '/messages/:id', access: 'admin' },
  /** What the workers here have claimed, and begun of it. */
  claims: { method: 'GET', path: '/claims', access: 'admin' },
  /** A filter may hold a text out of a message. */
  audit: { method: 'GET', path: '/audit', access: 'admin' },
  history: { method: 'GET', path: '/history', access: 'open' },
  fleet: { method: 'GET', path: '/fleet', access: 'open' },
  pause: { method: 'POST', path: '/pause', access: 'admin' },
  resume: { method: 'POST', path: '/resume', access: 'admin' },
  /** It tells secrets of the environment. */
  origin: { method: 'GET', path: '/origin', access: 'socket' },
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
  messages: MessageListFields;
  message: { readonly id: string };
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
  messages: MessageList;
  message: MessageDetails;
  claims: ClaimsDocument;
  audit: AuditDocument;
  history: HistoryDocument;
  fleet: FleetDocument;
  /** 500: it stands, and not all have confirmed it; or it is over already. */
  pause: PauseAnswer;
  resume: ResumeAnswer;
  origin: Origin;
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
