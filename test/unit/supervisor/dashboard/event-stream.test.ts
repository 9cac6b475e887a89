import { systemClock } from '../../../../src/shared/time/clock.js';
import { once } from 'node:events';
import { get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFront } from '../../../../supervisor/admin/front.js';
import { EventStream, MOST_CLIENTS } from '../../../../supervisor/dashboard/event-stream.js';
import { History } from '../../../../supervisor/status/history.js';
import type { Sample, SampleColumns, StatusEvent } from '../../../../supervisor/status/status-events.js';
import { conformsToLife } from '../../../support/life.js';
import { waitFor } from '../../../support/wait-for.js';

/** A status so large that sockets fill up. */
const BULKY = 'x'.repeat(100_000);

let server: Server;
let stream: EventStream;
let looks: number;
let total: number;
let now: number;
const open: IncomingMessage[] = [];

conformsToLife({
  name: 'the event stream',
  make: () =>
    new EventStream({
      history: { total: 0, since: () => columns(0, 0) },
      status: () => ({}) as StatusEvent,
      clock: systemClock,
    }),
});

beforeEach(async () => {
  [looks, total, now] = [0, 3, 0];
  stream = new EventStream({
    history: {
      get total() {
        return total;
      },
      since: (from) => columns(from, total),
    },
    status: () => {
      looks += 1;
      return { looks, BULKY } as unknown as StatusEvent;
    },
    clock: { ...systemClock, now: () => now, wallNow: () => 0 },
    everyMs: 10,
  });
  stream.start();
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const route = { method: 'GET', path: '/events', access: 'open', answer: () => stream.answer() } as const;
  const limits = { perPeer: 100, inAll: 100, perSecond: 1_000 };
  const rules = { check: () => undefined, operatorOf: () => ({ who: '', where: '' }), limits };
  const front = { routes: [route], ...rules, pageEveryMs: 0, log: quiet, clock: systemClock };
  server = createFront(front).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  open.splice(0).forEach((response) => response.destroy());
  await stream.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function columns(from: number, to: number): SampleColumns {
  const history = new History();
  for (let at = from; at < to; at += 1) history.add({ ...({} as Sample), at });
  return history.since(0);
}

function connect(method = 'GET'): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path: '/events', method, agent: false }, (response) => {
      response.on('error', () => undefined);
      open.push(response);
      resolve(response);
    });
    asked.on('error', reject);
  });
}

/** Everything that arrives, as it arrives. */
function reader(response: IncomingMessage): { readonly samples: () => number[]; readonly statuses: () => number } {
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const events = () => text.split('\n\n').slice(0, -1);
  return {
    statuses: () => events().filter((event) => event.startsWith('event: status\ndata: ')).length,
    samples: () =>
      events()
        .filter((event) => event.startsWith('event: samples\ndata: '))
        .flatMap((event) => (JSON.parse(event.slice(event.indexOf('{'))) as SampleColumns).at),
  };
}

test('a client gets all samples that are kept, then each new one once, and the status again and again', async () => {
  const response = await connect();
  expect(response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  });
  const { samples, statuses } = reader(response);
  await waitFor(() => statuses() > 1, { what: 'two statuses' });
  total = 5;
  await waitFor(() => samples().length === 5, { what: 'the new samples' });
  expect(samples()).toEqual([0, 1, 2, 3, 4]);
});

test('nothing is made while nobody listens', async () => {
  const response = await connect();
  await waitFor(() => looks > 2, { what: 'some statuses' });
  response.destroy();
  await waitFor(() => stream.clients === 0, { what: 'the client to be gone' });
  const after = looks;
  const second = await connect();
  await waitFor(() => looks > after, { what: 'a status for the second' });
  second.destroy();
  expect((await connect('HEAD')).headers['content-type']).toMatch(/event-stream/);
  await waitFor(() => stream.clients === 0, { what: 'nobody to be left' });
});

test('one status serves all clients', async () => {
  const readers = (await Promise.all([connect(), connect(), connect()])).map(reader);
  await waitFor(() => readers.every(({ statuses }) => statuses() > 10), { what: 'statuses for all' });
  // one more for each at its start
  expect(looks).toBeLessThan(readers.reduce((sum, { statuses }) => sum + statuses(), 0) / 2);
});

test('more clients than there may be are refused, until one leaves', async () => {
  const clients = await Promise.all(Array.from({ length: MOST_CLIENTS }, () => connect()));
  clients.forEach((client) => client.resume());
  const refused = await connect();
  expect(refused.statusCode).toBe(503);
  clients[0]?.destroy();
  await waitFor(() => stream.clients < MOST_CLIENTS, { what: 'a free place' });
  expect((await connect()).statusCode).toBe(200);
});

test('a client that does not read is written to no more, then cut off; one that reads again misses no sample', async () => {
  const lazy = await connect();
  lazy.pause();
  const { samples } = reader(await connect());
  await waitFor(() => samples().length === 3, { what: 'the first samples' });
  await waitFor(() => stream.mostBufferedBytes > 0, { what: 'a full buffer' });
  const seen = looks;
  await waitFor(() => looks > seen + 30, { what: 'more statuses' });
  expect(stream.mostBufferedBytes).toBeLessThan(2 * BULKY.length);
  total = 6;
  await waitFor(() => samples().length === 6, { what: 'the reader to go on' });
  expect(stream.clients).toBe(2);
  now = 11_000;
  await waitFor(() => stream.clients === 1, { what: 'the lazy one to be cut off' });
});

test('at the end all are cut off', async () => {
  const response = await connect();
  response.resume();
  const closed = new Promise((resolve) => response.once('close', resolve));
  await stream.stop();
  await closed;
  expect((await connect()).statusCode).toBe(503);
});
