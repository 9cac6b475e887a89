/** How an answer goes onto the socket: as uvicorn writes it, or as a body that no client should trust. */
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** For the header Retry-After, in seconds; none without it. */
  readonly retryAfterS?: number;
}

const HUGE_CHUNK = Buffer.alloc(1 << 20, 0x20);
const HUGE_CHUNKS = 250;
const DRIP_EVERY_MS = 100;
const BOMB_BYTES = 100 << 20;
let bomb: Buffer | undefined;

/** `connection: keep-alive` keeps Node from adding the Keep-Alive hint that uvicorn does not send. */
function headersOf(answer: Answer): Record<string, string | number> {
  const location = answer.status >= 300 && answer.status < 400 ? { location: '/elsewhere' } : {};
  const retryAfter = answer.retryAfterS === undefined ? {} : { 'retry-after': answer.retryAfterS };
  return { connection: 'keep-alive', 'content-type': 'application/json', ...location, ...retryAfter };
}

/** As the real server's own errors. */
export function error(status: number, text: string, retryAfterS?: number): Answer {
  const body = JSON.stringify({ error: text, status_code: status });
  return { status, body, ...(retryAfterS !== undefined && { retryAfterS }) };
}

export function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { ...headersOf(answer), 'content-length': Buffer.byteLength(answer.body) });
  response.end(answer.body);
}

/** The status and the start of the body, then `reset`. */
export function sendHalf(response: ServerResponse, answer: Answer, reset: () => void): void {
  response.writeHead(answer.status, headersOf(answer));
  response.write(answer.body.slice(0, 5), reset);
}

/** See BodyFault. */
export function sendOddBody(response: ServerResponse, answer: Answer, fault: 'drip' | 'huge' | 'bomb'): void {
  if (fault === 'bomb') {
    bomb ??= gzipSync(Buffer.alloc(BOMB_BYTES));
    response.writeHead(answer.status, { ...headersOf(answer), 'content-encoding': 'gzip' });
    response.end(bomb);
    return;
  }
  response.writeHead(answer.status, headersOf(answer));
  if (fault === 'drip') drip(response);
  else pour(response, HUGE_CHUNKS);
}

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), DRIP_EVERY_MS);
  response.once('close', () => clearInterval(timer));
}

function pour(response: ServerResponse, chunksLeft: number): void {
  if (response.destroyed) return;
  if (chunksLeft === 0) return void response.end();
  response.write(HUGE_CHUNK, () => pour(response, chunksLeft - 1));
}
