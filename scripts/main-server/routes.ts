/** The routes and answers of the real main server, and where the faults come in. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { error, send, type Answer } from './answers.js';
import type { Faults } from './faults.js';
import { doWork, inSeconds, noConnection, type Desk } from './work.js';

export interface Route extends Desk {
  readonly onPost: (id: string) => void;
}

const DELIVER = '/internal/messages/deliver';
const STATUS_PATH = /^\/internal\/messages\/([^/]+)\/status$/s;
const NOT_FOUND: Answer = { status: 404, body: '{"detail":"Not Found"}' };
const WRONG_METHOD: Answer = { status: 405, body: '{"detail":"Method Not Allowed"}' };

export function answerRequest(request: IncomingMessage, response: ServerResponse, route: Route): void {
  if (request.url === '/health' && request.method === 'GET') {
    route.ledger.probed();
    return answerHealth(response, route);
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
    return doWork(response, { exchange, faults: route.faults.post, answer: deliver }, route);
  }
  const id = STATUS_PATH.exec(path)?.[1];
  if (id === undefined) return stray(response, NOT_FOUND, route);
  if (request.method !== 'PUT') return stray(response, WRONG_METHOD, route);
  const exchange = route.ledger.begin('PUT', id, body);
  doWork(response, { exchange, faults: route.faults.put, answer: () => updateStatus(body) }, route);
}

function stray(response: ServerResponse, answer: Answer, { ledger }: Route): void {
  ledger.strayed();
  send(response, answer);
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

function answerHealth(response: ServerResponse, { faults, outages, turns }: Route): void {
  const { health, healthDelayMs, poolSize, serialMs } = faults;
  if (health === 'hang') return;
  const outMs = outages.leftMs();
  if (outMs > 0) return send(response, error(503, 'Service unavailable', inSeconds(outMs)));
  const later = (action: () => void) => (healthDelayMs > 0 ? void setTimeout(action, healthDelayMs) : action());
  const answer = (chosen: Answer) => (response.destroyed ? undefined : send(response, chosen));
  if (poolSize === 0) return later(() => answer(healthAnswer(health)));
  // it asks the database, too
  turns.arrive(serialMs, (visit, connected) => {
    const finish = () => {
      visit.leave();
      answer(connected ? healthAnswer(health) : noConnection());
    };
    if (connected) later(() => turns.whenFree(finish));
    else finish();
  });
}

function healthAnswer(health: Faults['health']): Answer {
  if (health === 'absent') return NOT_FOUND;
  const components = { database: health, encryption: 'healthy' };
  const body = JSON.stringify({ status: health, timestamp: new Date().toISOString(), components });
  return { status: health === 'healthy' ? 200 : 503, body };
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
