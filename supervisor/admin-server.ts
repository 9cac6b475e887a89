/**
 * The supervisor's HTTP server: a table of routes on one address.
 *
 * A taken port is no reason to stop delivering: it is an ERROR that names the port, and is tried again every 5 s.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { reasonOf } from '../src/shared/errors.js';
import type { Log } from '../src/shared/log.js';

export interface Answer {
  readonly status: number;
  /** Sent as JSON unless it is a string. */
  readonly body: unknown;
  readonly contentType?: string;
}

export type Route = (request: IncomingMessage) => Answer | Promise<Answer>;

/** Path → method → what answers. */
export type Routes = Readonly<Record<string, Readonly<Record<string, Route>>>>;

export interface AdminServerParams {
  readonly host: string;
  readonly port: number;
  readonly routes: Routes;
  readonly log: Log;
}

export interface AdminServer {
  start(): void;
  stop(): Promise<void>;
  /** Why nobody can reach us; undefined while we listen. */
  trouble(): string | undefined;
  /** The port we listen on; undefined while we do not. */
  port(): number | undefined;
}

const RETRY_MS = 5_000;
const REQUEST_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 100;

export function createAdminServer({ host, port, routes, log }: AdminServerParams): AdminServer {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.keepAliveTimeout = REQUEST_TIMEOUT_MS;
  server.on('request', (request, response) => void answer(routes, request, response, log));
  let retry: NodeJS.Timeout | undefined;
  let trouble: string | undefined = 'it has not been started';

  server.on('listening', () => {
    trouble = undefined;
    log.info(`Supervisor listens on http://${host.includes(':') ? `[${host}]` : host}:${portOf(server)}`);
  });
  server.on('error', (error: NodeJS.ErrnoException) => {
    const first = trouble !== sentence(error, host, port);
    trouble = sentence(error, host, port);
    if (first) log.error(`${trouble} Delivery goes on; trying again every ${RETRY_MS / 1000} s.`);
    retry = setTimeout(listen, RETRY_MS);
  });

  function listen(): void {
    server.listen({ host, port });
  }

  return {
    start: listen,
    trouble: () => trouble,
    port: () => portOf(server),
    async stop() {
      clearTimeout(retry);
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function portOf(server: Server): number | undefined {
  return (server.address() as AddressInfo | null)?.port;
}

function sentence(error: NodeJS.ErrnoException, host: string, port: number): string {
  return error.code === 'EADDRINUSE'
    ? `Port ${port} on ${host} (SUPERVISOR_PORT) is taken by another program; health, status and metrics cannot be read.`
    : `The supervisor cannot listen on ${host}:${port} (SUPERVISOR_HOST, SUPERVISOR_PORT): ${error.message}.`;
}

async function answer(routes: Routes, request: IncomingMessage, response: ServerResponse, log: Log): Promise<void> {
  // A client that hangs up in the middle is its own affair.
  response.on('error', () => undefined);
  try {
    write(response, await route(routes, request), request.method === 'HEAD');
  } catch (error) {
    log.error(`${request.method} ${pathOf(request)} failed: ${reasonOf(error)}`);
    write(response, { status: 500, body: { error: 'Internal error; the log of the supervisor has it.' } }, false);
  } finally {
    request.resume(); // what a route left unread
  }
}

async function route(routes: Routes, request: IncomingMessage): Promise<Answer> {
  const path = pathOf(request);
  const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (!methods) return { status: 404, body: { error: 'Not found', routes: Object.keys(routes) } };
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
  const found = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (!found) return { status: 405, body: { error: 'Method not allowed', allowed: Object.keys(methods) } };
  return found(request);
}

function write(response: ServerResponse, { status, body, contentType }: Answer, withoutBody: boolean): void {
  const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': contentType ?? 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(withoutBody ? undefined : text);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}
