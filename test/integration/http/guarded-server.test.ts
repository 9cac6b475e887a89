import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GuardedServer } from '../../../src/shared/http/guarded-server.js';
import { systemClock, type Clock } from '../../../src/shared/time/clock.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { answersIn, rawClient, requestsFor, type RawClient } from '../../support/raw-client.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { waitFor } from '../../support/wait-for.js';

expectNoLeftovers();

const clients: RawClient[] = [];
let server: GuardedServer;
let port: number;
/** Paths in the order in which they were asked. */
let asked: string[];
/** What an answer has. */
let body: string;
/** Held answers. */
let held: (() => void)[];
let isHolding: boolean;

async function serve(
  limits: { perPeer?: number; inAll?: number; perSecond?: number } = {},
  clock: Clock = systemClock,
): Promise<void> {
  server = new GuardedServer({
    limits: { perPeer: 10, inAll: 20, perSecond: 1_000, ...limits },
    probes: ['/health'],
    clock,
  });
  server.on('request', (request, response) => {
    asked.push(request.url ?? '');
    request.resume();
    if (isHolding) held.push(() => response.end(body));
    else response.end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = server.address() as AddressInfo);
}

async function client(from?: string): Promise<RawClient> {
  const made = await rawClient(port, from);
  clients.push(made);
  return made;
}

beforeEach(() => {
  [asked, held, body, isHolding] = [[], [], 'ok', false];
});
afterEach(async () => {
  for (const { close } of clients.splice(0)) close();
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});

describe('one request of a connection at a time', () => {
  test('the next is read when the one before is answered', async () => {
    isHolding = true;
    await serve();
    (await client()).socket.write(requestsFor('/a', 500));
    await waitFor(() => held.length > 0, { what: 'the first request' });
    const other = await client();
    isHolding = false;
    other.socket.write(requestsFor('/b', 3));
    await waitFor(() => answersIn(other.text()) === 3, { what: 'the answers of another' });
    expect(asked.filter((path) => path === '/a')).toHaveLength(1);
    for (const answer of held.splice(0)) answer();
    await waitFor(() => asked.length === 503, { what: 'all others, one by one' });
  });

  test('a client that does not read its answer is asked for nothing more', async () => {
    body = 'x'.repeat(50_000_000);
    await serve();
    const lazy = await client();
    lazy.socket.pause();
    lazy.socket.write(requestsFor('/a', 50));
    await waitFor(() => asked.length > 0, { what: 'the first request' });
    const other = await client();
    body = 'ok';
    other.socket.write(requestsFor('/b', 50));
    await waitFor(() => answersIn(other.text()) === 50, { what: 'the answers of another' });
    expect(asked.filter((path) => path === '/a')).toHaveLength(1);
  });

  test('bodies come whole, however they are cut', async () => {
    await serve();
    const sending = await client();
    const text = 'line\r\n\r\n'.repeat(2_000);
    sending.socket.write(`POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    sending.socket.write(requestsFor('/a', 2));
    await waitFor(() => answersIn(sending.text()) === 3, { what: 'three answers' });
    expect(asked).toEqual(['/post', '/a', '/a']);
  });

  test('one that closes its half after the request is answered, then closed', async () => {
    isHolding = true;
    await serve();
    const hasty = await client();
    hasty.socket.end(requestsFor('/a', 1));
    await waitFor(() => held.length === 1, { what: 'the request' });
    held[0]?.();
    await waitFor(() => hasty.isClosed(), { what: 'the end' });
    expect(hasty.text()).toMatch(/ok$/);
  });

  test('what is no HTTP is answered 400, and blank lines for ever are cut', async () => {
    await serve();
    const [wrong, blank] = [await client(), await client()];
    wrong.socket.write('HELO\r\n\r\n');
    blank.socket.write('\r\n'.repeat(2_000));
    await waitFor(() => wrong.isClosed() && blank.isClosed(), { what: 'both to be cut' });
    expect([wrong.text().slice(0, 12), blank.text()]).toEqual(['HTTP/1.1 400', '']);
  });
});

describe('caps', () => {
  test('there is room for one more: the oldest idle connection of the same peer goes', async () => {
    await serve({ perPeer: 3 });
    const [first, second, third] = [await client(), await client(), await client()];
    const other = await client('127.0.0.2');
    first.socket.write(requestsFor('/a', 1));
    await waitFor(() => answersIn(first.text()) === 1, { what: 'an answer' });
    const fourth = await client();
    fourth.socket.write(requestsFor('/b', 1));
    await waitFor(() => answersIn(fourth.text()) === 1 && first.isClosed(), {
      what: 'the fourth in place of the first',
    });
    expect([second, third, other].map(({ isClosed }) => isClosed())).toEqual([false, false, false]);
  });

  test('when all are too many it costs the peer that has most', async () => {
    await serve({ inAll: 5 });
    const greedy = [await client(), await client(), await client(), await client()];
    const modest = await client('127.0.0.2');
    await client('127.0.0.3');
    await waitFor(() => greedy[0]?.isClosed() ?? false, { what: 'the greedy one to lose a connection' });
    expect(modest.isClosed()).toBe(false);
  });

  test('a stream is not taken away, and idle ones go before those that wait for an answer', async () => {
    isHolding = true;
    const clock = new VirtualClock();
    await serve({ perPeer: 2 }, clock);
    const waiting = await client();
    waiting.socket.write(requestsFor('/a', 1));
    await waitFor(() => held.length === 1, { what: 'the request' });
    isHolding = false;
    const idle = await client();
    idle.socket.write(requestsFor('/b', 1));
    await waitFor(() => answersIn(idle.text()) === 1, { what: 'an answer' });
    await clock.advance(1_000);
    await client();
    await waitFor(() => idle.isClosed(), { what: 'the idle one to go' });
    expect(waiting.isClosed()).toBe(false);
  });

  test('probes have an allowance of their own', async () => {
    await serve({ perSecond: 1 }, new VirtualClock());
    const [greedy, probe] = [await client(), await client()];
    greedy.socket.write(requestsFor('/a', 1_000));
    await waitFor(() => asked.length > 0, { what: 'the first page' });
    probe.socket.write(requestsFor('/health', 1));
    await waitFor(() => answersIn(probe.text()) === 1, { what: 'the probe' });
    expect(asked).toEqual(['/a', '/health']);
  });
});
