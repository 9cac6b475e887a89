import type { ServerResponse } from 'node:http';

import type { Operator } from '../../src/domain/audit/deed.js';
import { BrokerError } from '../../src/shared/errors.js';
import { ROUTES, type Answers, type Place, type RouteName } from './protocol.js';

export interface Answer<Body = unknown> {
  readonly status: number;
  /** Sent as JSON unless it is a string. */
  readonly body: Body;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that goes on: once the headers are sent, the response is the stream's. */
export interface StreamedAnswer {
  readonly contentType: string;
  readonly stream: (response: ServerResponse) => void;
}

export interface AdminRequest<Segment extends string = string> {
  /** What stood in the path's `:name` segments, decoded. */
  readonly params: Readonly<Record<Segment, string>>;
  /** The query of a GET, in which digits come as numbers, or the JSON object of a POST; empty when there was none. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Who asks, for the audit. */
  readonly by: Operator;
  /** The client has hung up: what only it waits for need not be done. */
  readonly isAbandoned: () => boolean;
}

export interface Route extends Place {
  /** Its answer is the same for all who ask; it takes no fields. */
  readonly isShared?: boolean;
  readonly answer: (request: AdminRequest) => Answer | StreamedAnswer | Promise<Answer>;
}

/** `id` of `/workers/:id/restart`. */
type SegmentOf<Path extends string> = Path extends `${infer Start}/${infer Rest}`
  ? SegmentOf<Start> | SegmentOf<Rest>
  : Path extends `:${infer Name}`
    ? Name
    : never;

/** What the protocol promises; of pages and streams it says nothing. */
type BodyOf<Name extends RouteName> = Name extends keyof Answers ? Answers[Name] : unknown;

/** Answers a route of the protocol. */
export function route<Name extends RouteName>(
  name: Name,
  answer: (
    request: AdminRequest<SegmentOf<(typeof ROUTES)[Name]['path']>>,
  ) => Answer<BodyOf<Name>> | StreamedAnswer | Promise<Answer<BodyOf<Name>>>,
): Route {
  return { ...ROUTES[name], answer };
}

/** A route whose answer is the same for all who ask at a time. */
export function shared(place: Route): Route {
  return { ...place, isShared: true };
}

/** The client's fault, or a state of ours that it should hear of; the message is a sentence for its operator. */
export class RequestError extends BrokerError {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super('E_REQUEST', message);
  }
}

interface FoundRoute {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** @throws RequestError 404 or 405. */
export function findRoute(routes: readonly Route[], method: string, path: string): FoundRoute {
  const atPath = routes.flatMap((route) => {
    const params = matchPath(route.path, path);
    return params === undefined ? [] : [{ route, params }];
  });
  const found = atPath.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method));
  if (found) return found;
  if (atPath.length > 0) {
    const allow = atPath.map(({ route }) => route.method).join(', ');
    throw new RequestError(405, `Method ${method} is not allowed here; use ${allow}.`, { allow });
  }
  const known = [...new Set(routes.map((route) => route.path))].join(', ');
  throw new RequestError(404, `Not found. There are: ${known}.`);
}

/** undefined = no match. */
function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, segment] of wanted.entries()) {
    const text = given[at] ?? '';
    if (!segment.startsWith(':')) {
      if (segment !== text) return undefined;
      continue;
    }
    const value = decoded(text);
    if (value === undefined || value === '') return undefined;
    params[segment.slice(1)] = value;
  }
  return params;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
