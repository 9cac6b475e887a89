import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkAccess } from '../../supervisor/admin/access.js';
import { createFront } from '../../supervisor/admin/front.js';
import { ROUTES } from '../../supervisor/admin/protocol.js';
import type { Route } from '../../supervisor/admin/route.js';
import { expectNoLeftovers } from '../support/program/leftovers.js';
import { answersIn, rawClient, requestsFor, type RawClient } from '../support/raw-client.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { waitFor } from '../support/wait-for.js';

expectNoLeftovers();

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const clients: RawClient[] = [];
let server: Server;
let port: number;
/** Of the allowances and the pages; time passes for the connections all the same. */
let clock: VirtualClock;
/** How often each was made. */
let made: Record<string, number>;
/** What a dead letter's list waits for. */
let opened: Promise<void>;

const counted = (name: keyof typeof ROUTES, isShared: boolean): Route => ({
  ...ROUTES[name],
  isShared,
  answer: async () => {
    made[name] = (made[name] ?? 0) + 1;
    if (name === 'deadLetters') await opened;
    return { status: 200, body: `${name} ${made[name]}` };
  },
});

beforeEach(async () => {
  [made, opened] = [{}, Promise.resolve()];
  clock = new VirtualClock();
  server = createFront({
    routes: [counted('health', true), counted('ready', true), counted('metrics', true), counted('deadLetters', false)],
    check: (route, { headers }) => checkAccess(route, headers, { bindHost: '127.0.0.1', adminToken: '' }),
    operatorOf: () => ({ who: 'token', where: '127.0.0.1' }),
    limits: { perPeer: 50, inAll: 100, perSecond: 100 },
    pageEveryMs: 250,
    log,
    clock,
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterEach(async () => {
  for (const { close } of clients.splice(0)) close();
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});

async function client(): Promise<RawClient> {
  const made = await rawClient(port);
  clients.push(made);
  return made;
}

async function answered(path: string): Promise<string> {
  const asking = await client();
  asking.socket.write(requestsFor(path, 1));
  await waitFor(() => answersIn(asking.text()) === 1, { what: `the answer of ${path}` });
  return asking.text();
}

test('110 silent clients, and 60 with pipelines, do not lock /health and /ready out', async () => {
  for (let at = 0; at < 110; at += 1) await client();
  for (let at = 0; at < 60; at += 1) (await client()).socket.write(requestsFor('/metrics', 1_000));
  expect(await answered('/health')).toMatch(/^HTTP\/1\.1 200 /);
  expect(await answered('/ready')).toMatch(/^HTTP\/1\.1 200 /);
});

test('a shared page is made once for all who ask at a time, and not again within a quarter of a second', async () => {
  expect(await answered('/metrics')).toMatch(/metrics 1$/);
  const many = Array.from({ length: 40 }, () => answered('/metrics'));
  await answered('/health');
  expect(made['metrics']).toBe(1);
  await clock.advance(249);
  expect(made['metrics']).toBe(1);
  await clock.advance(1);
  for (const text of await Promise.all(many)) expect(text).toMatch(/metrics 2$/);
});

test('other pages are made one at a time, and for nobody who has gone', async () => {
  let open = (): void => undefined;
  opened = new Promise((resolve) => (open = resolve));
  const waiting = await Promise.all(Array.from({ length: 10 }, () => client()));
  for (const { socket } of waiting) socket.write(requestsFor('/dead', 1));
  await waitFor(() => made['deadLetters'] === 1, { what: 'the first' });
  for (const { close } of waiting) close();
  // their ends have come before this question
  await answered('/health');
  const last = answered('/dead');
  open();
  expect(await last).toMatch(/deadLetters 2$/);
});

describe('HTTP/1.0 without a Host header, as load balancers ask', () => {
  test.each(['/health', '/ready'])('%s is answered', async (path) => {
    const old = await client();
    old.socket.write(`GET ${path} HTTP/1.0\r\n\r\n`);
    await waitFor(() => old.isClosed(), { what: 'the answer' });
    expect(old.text()).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test('nothing else is', async () => {
    const old = await client();
    old.socket.write('GET /metrics HTTP/1.0\r\n\r\n');
    await waitFor(() => old.isClosed(), { what: 'the answer' });
    expect(old.text()).toMatch(/^HTTP\/1\.1 403 /);
  });
});
