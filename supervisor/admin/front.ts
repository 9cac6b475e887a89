/**
 * The HTTP side of the admin server, the same on TCP and on the socket: finds the route, checks access, has it answer,
 * writes the answer. A slow or greedy client costs a connection for some seconds, never the supervisor's time: see
 * GuardedServer. Beyond that a page that all share is made once for all who ask, and of each other page one at a time.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import type { Operator } from '../../src/domain/audit/deed.js';
import { printable } from '../../src/shared/words/escape.js';
import { reasonOf } from '../../src/shared/errors.js';
import { GuardedServer, isAbandoned } from '../../src/shared/http/guarded-server.js';
import type { GuestLimits } from '../../src/shared/http/guests.js';
import { OneByOne } from '../../src/shared/http/one-by-one.js';
import { SharedPage } from '../../src/shared/http/shared-page.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { accessOf, ROUTES, type ErrorAnswer } from './protocol.js';
import { fieldsOf, urlOf } from './request.js';
import { findRoute, RequestError, type AdminRequest, type Answer, type Route, type StreamedAnswer } from './route.js';

interface FrontOptions {
  readonly routes: readonly Route[];
  /** @throws RequestError when the request may not have this route. */
  readonly check: (route: Route, request: IncomingMessage) => void;
  /** Who asks. */
  readonly operatorOf: (request: IncomingMessage) => Operator;
  readonly limits: GuestLimits;
  /** How often a shared page is made at most. */
  readonly pageEveryMs: number;
  readonly log: Log;
  readonly clock: Clock;
}

const PROBES: readonly string[] = [ROUTES.health.path, ROUTES.ready.path];
const COMMON_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

export function createFront(options: FrontOptions): Server {
  const { limits, clock } = options;
  const kitchen = new Kitchen(options);
  return new GuardedServer({ limits, probes: PROBES, clock }).on(
    'request',
    (request, response) => void respond(options, kitchen, request, response),
  );
}

async function respond(
  options: FrontOptions,
  kitchen: Kitchen,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await answerOf(options, kitchen, request);
  if (answer === undefined) return void request.destroy();
  // An unread rest of the body would be taken for the next request, or read for ever.
  if (!request.complete) response.setHeader('connection', 'close');
  if ('stream' in answer) return writeStream(response, answer, request.method === 'HEAD');
  write(response, answer, request.method === 'HEAD');
}

/** undefined: nobody waits for it any more. */
async function answerOf(
  { routes, check, operatorOf, log }: FrontOptions,
  kitchen: Kitchen,
  request: IncomingMessage,
): Promise<Answer | StreamedAnswer | undefined> {
  try {
    const url = urlOf(request);
    const { route, params } = findRoute(routes, request.method ?? '', url.pathname);
    check(route, request);
    const fields = await fieldsOf(request, url);
    const asked = { params, fields, by: operatorOf(request), isAbandoned: () => isAbandoned(request) };
    check({ ...route, access: accessOf(route, asked.fields) }, request);
    return await kitchen.make(route, asked);
  } catch (error) {
    if (error instanceof RequestError) {
      return { status: error.status, body: errorAnswer(error.message), headers: error.headers };
    }
    log.error(`${request.method} ${printable(request.url ?? '', 200)} failed: ${reasonOf(error)}`);
    return { status: 500, body: errorAnswer('Internal error; the log of the supervisor has it.') };
  }
}

/** Has a route make its answer: a shared one for all who ask, other pages of a route one by one, an action at once. */
class Kitchen {
  readonly #shared: ReadonlyMap<Route, SharedPage<Answer | StreamedAnswer>>;
  readonly #turns: ReadonlyMap<Route, OneByOne>;

  constructor({ routes, pageEveryMs, clock }: FrontOptions) {
    const nothing = { params: {}, fields: {}, by: { who: '', where: '' }, isAbandoned: () => false };
    this.#shared = new Map(
      routes
        .filter(({ isShared }) => isShared)
        .map((route) => [route, new SharedPage({ make: () => route.answer(nothing), everyMs: pageEveryMs, clock })]),
    );
    this.#turns = new Map(routes.filter(({ method }) => method === 'GET').map((route) => [route, new OneByOne()]));
  }

  async make(route: Route, asked: AdminRequest): Promise<Answer | StreamedAnswer | undefined> {
    const shared = this.#shared.get(route);
    if (shared !== undefined) return shared.read();
    const turns = this.#turns.get(route);
    if (turns === undefined) return route.answer(asked);
    return turns.do(async () => (asked.isAbandoned() ? undefined : route.answer(asked)));
  }
}

function errorAnswer(error: string): ErrorAnswer {
  return { error };
}

function write(response: ServerResponse, { status, body, contentType, headers }: Answer, withoutBody: boolean): void {
  const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': contentType ?? 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...COMMON_HEADERS,
    ...headers,
  });
  response.end(withoutBody ? undefined : text);
}

function writeStream(response: ServerResponse, { contentType, stream }: StreamedAnswer, withoutBody: boolean): void {
  response.writeHead(200, { 'content-type': contentType, ...COMMON_HEADERS });
  if (withoutBody) response.end();
  else stream(response);
}
