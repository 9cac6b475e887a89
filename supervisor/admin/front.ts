/**
 * The HTTP side of the admin server, the same on TCP and on the socket: finds the route, checks access, has it answer,
 * writes the answer. A slow or greedy client costs a connection for some seconds, never the supervisor's time: requests
 * that dribble are cut after 5 s, answers that nobody reads after 10 s, and each listener takes 100 connections.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { printable } from '../../src/shared/words/escape.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { ErrorAnswer } from './protocol.js';
import { fieldsOf, urlOf } from './request.js';
import { findRoute, RequestError, type Answer, type Route, type StreamedAnswer } from './route.js';

interface FrontOptions {
  readonly routes: readonly Route[];
  /** @throws RequestError when the request may not have this route. */
  readonly check: (route: Route, request: IncomingMessage) => void;
  readonly log: Log;
}

const REQUEST_TIMEOUT_MS = 5_000;
const READ_ANSWER_MS = 10_000;
const MAX_CONNECTIONS = 100;
const COMMON_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

export function createFront(options: FrontOptions): Server {
  const server = createServer({
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: REQUEST_TIMEOUT_MS,
    // Node looks only every 30 s otherwise
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: 16_384,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (request, response) => void respond(options, request, response));
  return server;
}

async function respond(options: FrontOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A client that hangs up in the middle is its own affair.
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  const answer = await answerOf(options, request);
  // An unread rest of the body would be taken for the next request, or read for ever.
  if (!request.complete) response.setHeader('connection', 'close');
  if ('stream' in answer) return writeStream(response, answer, request.method === 'HEAD');
  write(response, answer, request.method === 'HEAD');
  response.setTimeout(READ_ANSWER_MS, () => request.destroy());
}

async function answerOf(
  { routes, check, log }: FrontOptions,
  request: IncomingMessage,
): Promise<Answer | StreamedAnswer> {
  try {
    const url = urlOf(request);
    const { route, params } = findRoute(routes, request.method ?? '', url.pathname);
    check(route, request);
    return await route.answer({ params, fields: await fieldsOf(request, url) });
  } catch (error) {
    if (error instanceof RequestError) {
      return { status: error.status, body: errorAnswer(error.message), headers: error.headers };
    }
    log.error(`${request.method} ${printable(request.url ?? '', 200)} failed: ${reasonOf(error)}`);
    return { status: 500, body: errorAnswer('Internal error; the log of the supervisor has it.') };
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
