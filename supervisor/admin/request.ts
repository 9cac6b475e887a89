/** What a client asks for, read from its HTTP request. */
import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';

import type { Operator } from '../../src/domain/audit/deed.js';
import { OPERATOR_HEADER } from './protocol.js';
import { RequestError, type AdminRequest } from './route.js';

const MAX_BODY_BYTES = 65_536;

/** @throws RequestError 400. */
export function urlOf(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? '/', 'http://localhost');
  } catch {
    throw new RequestError(400, 'The path of the request cannot be read.');
  }
}

/** Whoever asks over TCP has the token, or may only read. */
export function operatorOverTcp({ socket }: IncomingMessage): Operator {
  // an IPv4 address, as a socket for both kinds has it
  return { who: 'token', where: (socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '') };
}

/** The socket's mode says that it is its owner or root; which user of the two, and of what name, is what the client says. */
export function operatorOverSocket({ headers }: IncomingMessage): Operator {
  const said = String(headers[OPERATOR_HEADER] ?? '');
  return { who: said === '' ? 'socket' : `socket, ${decoded(said)}`, where: hostname() };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Rejects with RequestError 400 or 413. */
export async function fieldsOf(request: IncomingMessage, { searchParams }: URL): Promise<AdminRequest['fields']> {
  return request.method === 'POST' ? parseBody(await readBody(request)) : queryOf(searchParams);
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
  // an id of digits that a number would change stays a text: "007", or 20 digits
  const isNumber = (text: string): boolean => /^-?\d+(\.\d+)?$/.test(text) && String(Number(text)) === text;
  return Object.fromEntries([...parameters].map(([name, text]) => [name, isNumber(text) ? Number(text) : text]));
}
