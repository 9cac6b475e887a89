import type { ServerResponse } from 'node:http';

import { BrokerError } from '../../src/shared/errors.js';

export interface Answer {
  readonly status: number;
  /** Sent as JSON unless it is a string. */
  readonly body: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that goes on: once the headers are sent, the response is the stream's. */
export interface StreamedAnswer {
  readonly contentType: string;
  readonly stream: (response: ServerResponse) => void;
}

export interface AdminRequest {
  /** What stood in the path's `:name` segments, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Digits come as numbers. */
  readonly query: Readonly<Record<string, unknown>>;
  /** The JSON object that was sent; empty when there was none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** Segments that begin with `:` match any one segment. */
  readonly path: string;
  /** `admin` changes something or shows what is in messages: on TCP it needs the token. */
  readonly access: 'open' | 'admin';
  readonly answer: (request: AdminRequest) => Answer | StreamedAnswer | Promise<Answer>;
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

export interface FoundRoute {
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
