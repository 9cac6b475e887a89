/** The sink of the latency measurement, a process of its own: `node timed-sink-process.js <TimedSinkSetup as JSON>`. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { sharedClockMs } from './shared-clock.js';

export interface TimedSinkSetup {
  readonly caCert: string;
  readonly serverCert: string;
  readonly serverKey: string;
}

/** `await`: answer when so many arrived. `take`: answer with all, and forget them. */
export type ToSink = { readonly type: 'await'; readonly count: number } | { readonly type: 'take' };

export type FromSink =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'arrived' }
  | { readonly type: 'taken'; readonly arrivals: Arrivals };

export interface Arrivals {
  readonly ids: readonly string[];
  /** On the shared clock, in the order of `ids`. */
  readonly atMs: readonly number[];
  /** The longest that this process's event loop stood still meanwhile. */
  readonly longestPauseMs: number;
}

const ANSWER = '{"status":"delivered"}';
/** Around the id in a delivery's body, which starts with it; parsing each body would take time from the sink. */
const ID_STARTS = '{"message_id":"'.length;
const ID_LENGTH = 36;

const setup = JSON.parse(process.argv[2] ?? '') as TimedSinkSetup;
const pauses = monitorEventLoopDelay({ resolution: 1 });
pauses.enable();
let ids: string[] = [];
let atMs: number[] = [];
let awaited = Infinity;

const server = createServer(
  {
    ca: readFileSync(setup.caCert),
    cert: readFileSync(setup.serverCert),
    key: readFileSync(setup.serverKey),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (request, response) => {
    const arrivedAt = sharedClockMs();
    let body = '';
    request.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length }).end(ANSWER);
      ids.push(body.slice(ID_STARTS, ID_STARTS + ID_LENGTH));
      atMs.push(arrivedAt);
      if (ids.length >= awaited) tellArrived();
    });
  },
);
server.keepAliveTimeout = 300_000;
server.listen(0, '127.0.0.1', () => tell({ type: 'listening', port: (server.address() as AddressInfo).port }));

process.on('message', (message: ToSink) => {
  if (message.type === 'await') {
    awaited = message.count;
    if (ids.length >= awaited) tellArrived();
    return;
  }
  tell({ type: 'taken', arrivals: { ids, atMs, longestPauseMs: pauses.max / 1e6 } });
  [ids, atMs] = [[], []];
  pauses.reset();
});
process.on('disconnect', () => process.exit(0));

function tellArrived(): void {
  awaited = Infinity;
  tell({ type: 'arrived' });
}

function tell(message: FromSink): void {
  process.send?.(message, undefined, undefined, () => undefined);
}
