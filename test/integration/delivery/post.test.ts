import { describe, expect, it } from 'vitest';
import { useCertificates } from '../../support/main-server/certificates.js';
import { useClients } from '../../support/main-server/delivery.js';
import { freePort } from '../../support/free-port.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { steppedClock } from '../../support/stepped-clock.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';

expectNoLeftovers();
const certificates = useCertificates();
const main = useMainServer(certificates);
const clients = useClients(certificates);
const never = new AbortController().signal;

/** undici takes a second socket when the next request comes in the same turn as the end of the last one. */
const single = { overrides: { worker: { concurrency: 1 } } };
const post = (id = 'a') => clients.create(main.server.url).deliver(id, never);

describe('what an answer means', () => {
  it('2xx is delivered', async () => {
    expect(await post('id-1')).toEqual({ kind: 'delivered', status: 200 });
    const [exchange] = main.server.ledger.of('id-1');
    expect(exchange?.body).toEqual({ message_id: 'id-1', worker_id: 'worker-1' });
  });

  it.each([204, 299])('%d is delivered too', async (status) => {
    main.server.faults.post.status = status;
    expect(await post()).toEqual({ kind: 'delivered', status });
  });

  it.each([
    [301, 'redirect', true],
    [308, 'redirect', true],
    [400, 'http_4xx', true],
    [422, 'http_422', true],
    [429, 'http_429', false],
    [500, 'http_500', true],
    [502, 'http_502', false],
    [503, 'http_503', false],
    [504, 'http_504', false],
  ])('%d fails as %s', async (status, reason, reachable) => {
    main.server.faults.post.status = status;
    expect(await post()).toMatchObject({ kind: 'failed', status, reason, reachable });
    expect(main.server.ledger.posts).toBe(1);
  });

  it.each([429, 503])('a %d may ask for patience', async (status) => {
    Object.assign(main.server.faults, { retryAfterS: 20 });
    main.server.faults.post.status = status;
    expect(await post()).toMatchObject({ kind: 'failed', status, retryAfterMs: 20_000 });
  });

  it('a 500 may not', async () => {
    Object.assign(main.server.faults, { retryAfterS: 20 });
    main.server.faults.post.status = 500;
    expect(await post()).not.toHaveProperty('retryAfterMs');
  });

  it('a 404 of the application says that the message is unknown', async () => {
    main.server.faults.unknownIds.add('nope');
    const detail = '{"error":"Message not found: nope","status_code":404}';
    expect(await post('nope')).toMatchObject({ reason: 'http_404', messageUnknown: true, reachable: true, detail });
  });

  it('a 404 of a wrong URL does not', async () => {
    const overrides = { mainServer: { deliverEndpoint: '/elsewhere' } };
    const outcome = await clients.create(main.server.url, { overrides }).deliver('a', never);
    expect(outcome).toMatchObject({ reason: 'http_404', messageUnknown: false });
  });

  it('keeps the base path of the URL', async () => {
    const overrides = { mainServer: { deliverEndpoint: '/messages/deliver' } };
    const outcome = await clients.create(`${main.server.url}/internal`, { overrides }).deliver('a', never);
    expect(outcome.kind).toBe('delivered');
  });

  it.each(['"quoted"', 'line\r\nbreak', '\u0000', '../../health', '\ud800', 'ü😀', '__proto__'])(
    'carries the id %j in JSON',
    async (id) => {
      expect((await post(id)).kind).toBe('delivered');
      expect(main.server.ledger.exchanges.has(id)).toBe(true);
    },
  );
});

describe('connections', () => {
  it('refused', async () => {
    const outcome = await clients.create(`https://127.0.0.1:${await freePort()}`).deliver('a', never);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'connection_refused', reachable: false });
    expect(outcome).toHaveProperty('detail', expect.stringContaining('ECONNREFUSED'));
  });

  it('refused on every address of a name', async () => {
    const outcome = await clients.create(`https://localhost:${await freePort()}`).deliver('a', never);
    expect(outcome).toMatchObject({
      reason: 'connection_refused',
      detail: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it('a name that does not exist', async () => {
    const outcome = await clients.create('https://nowhere.invalid').deliver('a', never);
    expect(outcome).toMatchObject({ reason: 'dns', reachable: false });
  });

  it.each(['drop', 'rst'] as const)(
    'ended without an answer (%s): failed, and not repeated on a first use',
    async (body) => {
      main.server.faults.post.body = body;
      expect(await post()).toMatchObject({ reason: 'connection_reset', reachable: false });
      expect(main.server.ledger.posts).toBe(1);
    },
  );

  it('keeps its sockets', async () => {
    const client = clients.create(main.server.url, single);
    const before = main.server.connections.accepted;
    for (let i = 0; i < 20; i++) await client.deliver(`id-${i}`, never);
    expect(main.server.connections.accepted - before).toBe(1);
  });

  it('keeps the socket of a failure too', async () => {
    main.server.faults.post.status = 500;
    const client = clients.create(main.server.url, single);
    const before = main.server.connections.accepted;
    for (let i = 0; i < 5; i++) await client.deliver(`id-${i}`, never);
    expect(main.server.connections.accepted - before).toBe(1);
  });

  it('are replaced when they are old, without a failure; before that they are kept', async () => {
    const { stepped, clock } = steppedClock();
    const overrides = { worker: { concurrency: 1 }, mainServer: { maxConnectionAgeMs: 300_000 } };
    const client = clients.create(main.server.url, { overrides, clock });
    const before = main.server.connections.accepted;
    const opened = () => main.server.connections.accepted - before;
    const deliver = async (times: number) => {
      for (let at = 0; at < times; at++) expect((await client.deliver(`id-${at}`, never)).kind).toBe('delivered');
    };
    await deliver(3);
    // half of what chance may take off: 10 %
    stepped.now = 260_000;
    await deliver(3);
    expect(opened()).toBe(1);
    stepped.now = 270_000;
    await deliver(3);
    expect(opened()).toBe(2);
    expect(clients.lines).toEqual([]);
  });

  it('are kept for ever where no age is set', async () => {
    const { stepped, clock } = steppedClock();
    const overrides = { worker: { concurrency: 1 }, mainServer: { maxConnectionAgeMs: 0 } };
    const client = clients.create(main.server.url, { overrides, clock });
    const before = main.server.connections.accepted;
    for (const years of [0, 1, 10]) {
      stepped.now = years * 365 * 86_400_000;
      expect((await client.deliver(`id-${years}`, never)).kind).toBe('delivered');
    }
    expect(main.server.connections.accepted - before).toBe(1);
  });

  it('carries 16 at a time, one on each socket', async () => {
    main.server.faults.post.delayMs = 50;
    const client = clients.create(main.server.url, { overrides: { worker: { concurrency: 16 } } });
    const before = main.server.connections.accepted;
    const outcomes = await Promise.all(Array.from({ length: 64 }, (_, i) => client.deliver(`id-${i}`, never)));
    expect(outcomes.every((outcome) => outcome.kind === 'delivered')).toBe(true);
    expect(main.server.connections.accepted - before).toBe(16);
  });
});

describe('a kept socket that the server closed as we wrote', () => {
  it('is replaced and the POST repeated, which spends no attempt', async () => {
    const client = clients.create(main.server.url, single);
    await client.deliver('first', never);
    main.server.faults.staleCloses = 1;
    expect(await client.deliver('second', never)).toEqual({ kind: 'delivered', status: 200 });
    expect(clients.lines).toHaveLength(1);
  });

  it('all sockets at once', async () => {
    const client = clients.create(main.server.url, { overrides: { worker: { concurrency: 16 } } });
    const burst = () => Promise.all(Array.from({ length: 16 }, (_, i) => client.deliver(`id-${i}`, never)));
    await burst();
    main.server.faults.staleCloses = 16;
    expect((await burst()).every((outcome) => outcome.kind === 'delivered')).toBe(true);
  });

  it('only once: a server that always closes is a failure', async () => {
    const client = clients.create(main.server.url, single);
    await client.deliver('first', never);
    main.server.faults.post.body = 'rst';
    expect(await client.deliver('second', never)).toMatchObject({ reason: 'connection_reset' });
    expect(main.server.ledger.of('second')).toHaveLength(2);
  });

  it('idle ones that ended before are replaced without a word', async () => {
    const client = clients.create(main.server.url, single);
    await client.deliver('first', never);
    main.server.closeIdleConnections();
    await waitFor(() => main.server.connections.open === 0, { what: 'the idle socket to be closed' });
    expect((await client.deliver('second', never)).kind).toBe('delivered');
    expect(clients.lines).toEqual([]);
  });
});

describe('the total deadline', () => {
  it('takes 2xx for delivered, however the body goes on', async () => {
    // that long, since nobody sees from outside that the headers were read
    const client = clients.create(main.server.url, { overrides: { mainServer: { timeoutMs: 5_000 } } });
    main.server.faults.post.body = 'drip';
    expect(await client.deliver('a', never)).toEqual({ kind: 'delivered', status: 200 });
    main.server.faults.post.body = 'cut';
    expect(await client.deliver('b', never)).toEqual({ kind: 'delivered', status: 200 });
  });

  it('leaves the client usable', async () => {
    const { stepped, clock } = steppedClock();
    const client = clients.create(main.server.url, { clock, overrides: { worker: { concurrency: 8 } } });
    main.server.faults.post.hang = true;
    const hung = Array.from({ length: 8 }, (_, i) => client.deliver(`hung-${i}`, never));
    await waitFor(() => main.server.ledger.posts === 8, { what: 'all to hang' });
    stepped.now = 30_000;
    for (const outcome of await Promise.all(hung)) expect(outcome).toMatchObject({ reason: 'timeout' });
    main.server.faults.post.hang = false;
    const outcomes = await Promise.all(Array.from({ length: 8 }, (_, i) => client.deliver(`id-${i}`, never)));
    expect(outcomes.every((outcome) => outcome.kind === 'delivered')).toBe(true);
  });
});

describe('bodies without end', () => {
  it.each(['huge', 'bomb'] as const)('%s: reads 64 KiB of each and goes on', async (body) => {
    main.server.faults.post.body = body;
    main.server.faults.post.status = 500;
    const client = clients.create(main.server.url, { overrides: { worker: { concurrency: 8 } } });
    await client.deliver('warm up', never);
    const before = process.memoryUsage().arrayBuffers;
    const outcomes = await Promise.all(Array.from({ length: 8 }, (_, i) => client.deliver(`id-${i}`, never)));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'failed', reason: 'http_500' });
    main.server.clear();
    expect((await client.deliver('after', never)).kind).toBe('delivered');
  });
});

describe('a network that goes silent', () => {
  it('fails at the deadline and works again when it speaks', async () => {
    const proxy = await startTcpProxy(main.server.port);
    const { stepped, clock } = steppedClock();
    const client = clients.create(`https://localhost:${proxy.port}`, { clock });
    expect((await client.deliver('before', never)).kind).toBe('delivered');
    await proxy.setMode('blackhole');
    const silent = ['on a kept socket', 'on a new one'].map((id) => client.deliver(id, never));
    await waitFor(() => proxy.accepted >= 2, { what: 'the new one' });
    stepped.now = 30_000;
    for (const outcome of await Promise.all(silent))
      expect(outcome).toMatchObject({ reason: 'timeout', reachable: false });
    await proxy.setMode('pass');
    expect((await client.deliver('after', never)).kind).toBe('delivered');
    await client.stop();
    await proxy.close();
  });
});

describe('the kill', () => {
  it('aborts what is in flight and starts nothing more', async () => {
    const client = clients.create(main.server.url);
    const kill = new AbortController();
    main.server.faults.post.hang = true;
    const hanging = client.deliver('a', kill.signal);
    await waitFor(() => main.server.ledger.posts === 1, { what: 'the POST' });
    kill.abort();
    expect(await hanging).toEqual({ kind: 'aborted' });
    expect(await client.deliver('b', kill.signal)).toEqual({ kind: 'aborted' });
    expect(main.server.ledger.posts).toBe(1);
  });

  it('sends nothing that was waiting for a connection', async () => {
    const client = clients.create(main.server.url, { overrides: { worker: { concurrency: 1 } } });
    const kill = new AbortController();
    const connecting = client.deliver('a', kill.signal);
    const waiting = client.deliver('b', kill.signal);
    kill.abort();
    expect(await Promise.all([connecting, waiting])).toEqual([{ kind: 'aborted' }, { kind: 'aborted' }]);
    expect((await client.deliver('c', never)).kind).toBe('delivered');
    expect(main.server.ledger.posts).toBe(1);
  });

  it('stop() ends everything as aborted, at once', async () => {
    const client = clients.create(main.server.url);
    main.server.faults.post.hang = true;
    const hanging = client.deliver('a', never);
    await waitFor(() => main.server.ledger.posts === 1, { what: 'the POST' });
    await client.stop();
    expect(await hanging).toEqual({ kind: 'aborted' });
    expect(await client.deliver('b', never)).toEqual({ kind: 'aborted' });
    expect(await client.probe()).toBe('unreachable');
    await client.stop();
  });
});
