/**
 * The HTTP side of the admin server, the same on TCP and on the socket: finds the route, checks access, reads the body,
 * writes the answer. A slow or greedy client costs a connection for some seconds, never the supervisor's time: requests
 * that dribble are cut after 5 s, answers that nobody reads after 10 s, and each listener takes 100 connections.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { printable } from '../../src/shared/words/escape.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { ErrorAnswer } from './protocol.js';
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
const MAX_BODY_BYTES = 65_536;
const COMMON_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

export function createFront(params: FrontOptions): Server {
  const server = createServer({
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: REQUEST_TIMEOUT_MS,
    // Node looks only every 30 s otherwise
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: 16_384,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (request, response) => void respond(params, request, response));
  return server;
}

async function respond(params: FrontOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A client that hangs up in the middle is its own affair.
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  const answer = await answerOf(params, request);
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
  const url = request.url ?? '/';
  try {
    const { pathname, searchParams } = parseUrl(url);
    const { route, params } = findRoute(routes, request.method ?? '', pathname);
    check(route, request);
    const fields = route.method === 'POST' ? parseBody(await readBody(request)) : queryOf(searchParams);
    return await route.answer({ params, fields });
  } catch (error) {
    if (error instanceof RequestError) {
      return { status: error.status, body: errorAnswer(error.message), headers: error.headers };
    }
    log.error(`${request.method} ${printable(url, 200)} failed: ${reasonOf(error)}`);
    return { status: 500, body: errorAnswer('Internal error; the log of the supervisor has it.') };
  }
}

function errorAnswer(error: string): ErrorAnswer {
  return { error };
}

function parseUrl(url: string): URL {
  try {
    return new URL(url, 'http://localhost');
  } catch {
    throw new RequestError(400, 'The path of the request cannot be read.');
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const tooLarge = (): RequestError => new RequestError(413, `The body may have ${MAX_BODY_BYTES} bytes at most.`);
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const stopped = new RequestError(400, 'The body ended early.');
  try {
    // without destroyOnReturn the 413 could not be sent any more
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof RequestError ? error : stopped;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody(text: string): Readonly<Record<string, unknown>> {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RequestError(400, 'The body is not valid JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RequestError(400, 'The body must be a JSON object.');
  }
  return value as Record<string, unknown>;
}

function queryOf(parameters: URLSearchParams): Record<string, unknown> {
  const isNumber = (text: string): boolean => /^-?\d+(\.\d+)?$/.test(text);
  return Object.fromEntries([...parameters].map(([name, text]) => [name, isNumber(text) ? Number(text) : text]));
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
