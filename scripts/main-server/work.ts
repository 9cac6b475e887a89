/** What becomes of a delivery or a status update between its reading and its answer: all that may go wrong. */
import type { ServerResponse } from 'node:http';
import { error, send, sendHalf, sendOddBody, type Answer } from './answers.js';
import type { Faults, RouteFaults } from './faults.js';
import type { Exchange, RecordingLedger } from './ledger.js';
import type { Outages } from './outages.js';
import type { RateLimit } from './rate-limit.js';
import type { Registrations } from './registrations.js';
import type { Turns } from './turns.js';

export interface Desk {
  readonly faults: Faults;
  readonly ledger: RecordingLedger;
  readonly registrations: Registrations;
  readonly outages: Outages;
  readonly rateLimit: RateLimit;
  readonly turns: Turns;
  /** RST. A TLS socket cannot do it itself. */
  readonly reset: (response: ServerResponse) => void;
}

interface Work {
  readonly exchange: Exchange;
  readonly faults: RouteFaults;
  readonly answer: () => Answer;
}

/** What SQLAlchemy says. */
const NO_CONNECTION = 'QueuePool limit of size 10 overflow 20 reached, connection timed out, timeout 30.00';

export function doWork(response: ServerResponse, work: Work, desk: Desk): void {
  const { exchange, faults } = work;
  response.once('close', () => desk.ledger.gone(exchange));
  if (faults.hang) return desk.outages.refused();
  const refused = refusal(work, desk);
  if (refused) return answer(response, { ...work, answer: () => refused }, desk);
  const slowness = slownessOf(faults, desk);
  const { serialMs } = desk.faults;
  desk.turns.arrive(serialMs * slowness, (visit, connected) => {
    const finish = () => {
      visit.leave();
      // a serial server does what it has read, whether or not its client still waits for the answer
      if (response.destroyed && serialMs === 0) return;
      const chosen = connected ? (failure(work, desk) ?? unknown(exchange, desk) ?? work.answer()) : noConnection();
      answer(response, { ...work, answer: () => chosen }, desk);
    };
    const delayMs = faults.delayMs * slowness;
    if (delayMs > 0 && connected) setTimeout(() => desk.turns.whenFree(finish), delayMs);
    else finish();
  });
}

function answer(response: ServerResponse, { exchange, faults, answer }: Work, { ledger, reset }: Desk): void {
  const chosen = answer();
  if (faults.body === 'drop') return void response.socket?.destroy();
  if (faults.body === 'rst') return reset(response);
  ledger.end(exchange, chosen.status);
  if (response.destroyed) return;
  if (faults.body === 'normal') send(response, chosen);
  else if (faults.body === 'cut') sendHalf(response, chosen, () => reset(response));
  else sendOddBody(response, chosen, faults.body);
}

/** By what stands before the application: it costs no turn and no connection. */
function refusal({ exchange }: Work, { faults, outages, rateLimit }: Desk): Answer | undefined {
  const outMs = outages.leftMs();
  if (outMs > 0) {
    outages.refused();
    return error(503, 'Service unavailable', inSeconds(outMs));
  }
  if (exchange.method === 'PUT') return undefined;
  const waitMs = rateLimit.take(faults.maxPerSecond);
  return waitMs > 0 ? error(429, 'Too many requests', faults.retryAfterS || inSeconds(waitMs)) : undefined;
}

export function inSeconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}

function slownessOf({ status = 200 }: RouteFaults, { outages }: Desk): number {
  if (status < 500) return outages.slowness();
  outages.refused();
  return 1;
}

function failure({ exchange, faults }: Work, { ledger, faults: { retryAfterS } }: Desk): Answer | undefined {
  if (faults.status !== undefined) return failed(faults.status, retryAfterS);
  if (faults.failFirst > 0 && ledger.of(exchange.id, exchange.method).length <= faults.failFirst)
    return failed(faults.failStatus, retryAfterS);
  return faults.failRate > 0 && Math.random() < faults.failRate ? failed(faults.failStatus, retryAfterS) : undefined;
}

function unknown({ id, startMs }: Exchange, { faults, registrations }: Desk): Answer | undefined {
  return registrations.isKnown(id, startMs, faults) ? undefined : error(404, `Message not found: ${id}`);
}

export function noConnection(): Answer {
  return error(500, NO_CONNECTION);
}

function failed(status: number, retryAfterS: number): Answer {
  if (status >= 200 && status < 300) return { status, body: '{"status":"success"}' };
  const saysWhen = retryAfterS > 0 && (status === 429 || status === 503);
  return error(status, `Made to answer ${status}`, saysWhen ? retryAfterS : undefined);
}
