/** The routes and answers of the real main server, and where the faults come in. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { send, sendHalf, sendOddBody, type Answer } from './answers.js';
import type { Faults, RouteFaults } from './faults.js';
import type { Exchange, RecordingLedger } from './ledger.js';

export interface Route {
  readonly faults: Faults;
  readonly ledger: RecordingLedger;
  readonly onPost: (id: string) => void;
  /** Once all that came before is done, and then `faults.serialMs`. */
  readonly inTurn: (action: () => void) => void;
  /** RST. A TLS socket cannot do it itself. */
  readonly reset: (response: ServerResponse) => void;
}

const DELIVER = '/internal/messages/deliver';
const STATUS_PATH = /^\/internal\/messages\/([^/]+)\/status$/s;
const NOT_FOUND: Answer = { status: 404, body: '{"detail":"Not Found"}' };
const WRONG_METHOD: Answer = { status: 405, body: '{"detail":"Method Not Allowed"}' };

export function answerRequest(request: IncomingMessage, response: ServerResponse, route: Route): void {
  if (request.url === '/health' && request.method === 'GET') {
    route.ledger.probed();
    return answerHealth(response, route.faults);
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.once('end', () => dispatch(request, response, Buffer.concat(chunks).toString(), route));
  request.once('error', () => response.destroy());
}

function dispatch(request: IncomingMessage, response: ServerResponse, text: string, route: Route): void {
  const path = decodedPath(request.url ?? '/');
  const body = parsed(text);
  if (path === DELIVER) {
    if (request.method === 'GET') return send(response, WRONG_METHOD); // a look whether the route is there
    if (request.method !== 'POST') return stray(response, WRONG_METHOD, route);
    const { message_id: id, worker_id: worker } = body;
    if (typeof id !== 'string' || typeof worker !== 'string') return send(response, invalid('message_id'));
    const exchange = route.ledger.begin('POST', id, body);
    route.onPost(id);
    return withFaults(response, { exchange, faults: route.faults.post, answer: deliver }, route);
  }
  const id = STATUS_PATH.exec(path)?.[1];
  if (id === undefined) return stray(response, NOT_FOUND, route);
  if (request.method !== 'PUT') return stray(response, WRONG_METHOD, route);
  const exchange = route.ledger.begin('PUT', id, body);
  withFaults(response, { exchange, faults: route.faults.put, answer: () => updateStatus(body) }, route);
}

function stray(response: ServerResponse, answer: Answer, { ledger }: Route): void {
  ledger.strayed();
  send(response, answer);
}

interface Work {
  readonly exchange: Exchange;
  readonly faults: RouteFaults;
  readonly answer: () => Answer;
}

function withFaults(response: ServerResponse, work: Work, route: Route): void {
  const { exchange, faults } = work;
  if (faults.hang) return;
  if (route.faults.serialMs > 0) return route.inTurn(() => finish(response, work, route));
  const answer = () => {
    if (response.destroyed) return;
    const chosen = failure(work, route) ?? unknown(exchange, route) ?? work.answer();
    if (faults.body === 'drop') return void response.socket?.destroy();
    if (faults.body === 'rst') return route.reset(response);
    route.ledger.end(exchange, chosen.status);
    if (faults.body === 'normal') send(response, chosen);
    else if (faults.body === 'cut') sendHalf(response, chosen, () => route.reset(response));
    else sendOddBody(response, chosen, faults.body);
  };
  if (faults.delayMs > 0) setTimeout(answer, faults.delayMs);
  else answer();
}

/** What was read is done, whether or not its client still waits for the answer. */
function finish(response: ServerResponse, work: Work, route: Route): void {
  const chosen = failure(work, route) ?? work.answer();
  route.ledger.end(work.exchange, chosen.status);
  if (!response.destroyed) send(response, chosen);
}

function failure({ exchange, faults }: Work, { ledger }: Route): Answer | undefined {
  if (faults.status !== undefined) return failed(faults.status);
  if (faults.failFirst > 0 && ledger.of(exchange.id, exchange.method).length <= faults.failFirst)
    return failed(faults.failStatus);
  return faults.failRate > 0 && Math.random() < faults.failRate ? failed(faults.failStatus) : undefined;
}

function unknown({ id, startMs }: Exchange, { faults, ledger }: Route): Answer | undefined {
  const firstSeenMs = ledger.of(id)[0]?.startMs ?? startMs;
  const isUnknown = faults.unknownIds.has(id) || performance.now() - firstSeenMs < faults.unknownForMs;
  return isUnknown ? error(404, `Message not found: ${id}`) : undefined;
}

function deliver(): Answer {
  const at = new Date().toISOString().slice(0, 19);
  return { status: 200, body: `{"status":"success","delivered_at":"${at}"}` };
}

function updateStatus(body: Record<string, unknown>): Answer {
  const { status, attempt_count: count = 0 } = body;
  if (typeof status !== 'string') return invalid('status');
  if (typeof count !== 'number' || count < 0) return invalid('attempt_count');
  if (!['queued', 'processing', 'delivered', 'failed'].includes(status)) return error(500, 'Internal server error');
  return { status: 200, body: '{"status":"updated"}' };
}

function answerHealth(response: ServerResponse, { health }: Faults): void {
  if (health === 'hang') return;
  if (health === 'absent') return send(response, NOT_FOUND);
  const components = { database: health, encryption: 'healthy' };
  const body = JSON.stringify({ status: health, timestamp: new Date().toISOString(), components });
  send(response, { status: health === 'healthy' ? 200 : 503, body });
}

function failed(status: number): Answer {
  return status >= 200 && status < 300
    ? { status, body: '{"status":"success"}' }
    : error(status, `Made to answer ${status}`);
}

function error(status: number, text: string): Answer {
  return { status, body: JSON.stringify({ error: text, status_code: status }) };
}

function invalid(field: string): Answer {
  return {
    status: 422,
    body: JSON.stringify({ detail: [{ loc: ['body', field], msg: 'invalid', type: 'value_error' }] }),
  };
}

/** Starlette routes on the decoded path: an id with %2F matches nothing. */
function decodedPath(url: string): string {
  try {
    return decodeURIComponent(url.split('?', 1)[0] ?? url);
  } catch {
    return url;
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
