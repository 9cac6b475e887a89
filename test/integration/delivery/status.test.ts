import { describe, expect, it } from 'vitest';
import { useCertificates } from '../../support/main-server/certificates.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { useClients, within } from '../../support/main-server/delivery.js';
import { freePort } from '../../support/free-port.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { startRawServer, startRelay } from '../../support/main-server/raw-server.js';
import { steppedClock } from '../../support/stepped-clock.js';
import { waitFor } from '../../support/wait-for.js';

expectNoLeftovers();
const certificates = useCertificates();
const main = useMainServer(certificates);
const clients = useClients(certificates);
const never = new AbortController().signal;
const QUEUED = { status: 'queued', attemptCount: 3, errorMessage: 'HTTP 503' } as const;

/** Of the update: none of these tests is about reaching it. */
const DEADLINE_MS = 30_000;

const put = (id: string) => clients.create(main.server.url).updateStatus(id, QUEUED, within(DEADLINE_MS), never);

describe('updateStatus', () => {
  it('sends what the original sends', async () => {
    expect(await put('a')).toEqual({ kind: 'delivered', status: 200 });
    const [exchange] = main.server.ledger.of('a', 'PUT');
    expect(exchange?.body).toEqual({ status: 'queued', attempt_count: 3, error_message: 'HTTP 503' });
  });

  it.each(['with space', 'ü😀', 'a?b#c', 'line\r\nbreak', '%2F', "'(*)'", '..%2f..'])(
    'puts the id %j into one segment of the path',
    async (id) => {
      expect((await put(id)).kind).toBe('delivered');
      expect([...main.server.ledger.exchanges.keys()]).toEqual([id]);
    },
  );

  it.each(['a/b', '../../health', '\ud800'])('reaches no other endpoint with the id %j', async (id) => {
    const outcome = await put(id);
    expect(outcome.kind === 'delivered' || outcome.kind === 'failed').toBe(true);
    expect([...main.server.ledger.exchanges.keys()].filter((known) => known !== '\ufffd')).toEqual([]);
  });

  it('is repeated twice while the server is away', async () => {
    main.server.faults.put.failFirst = 2;
    expect((await put('a')).kind).toBe('delivered');
    expect(main.server.ledger.of('a').map((exchange) => exchange.status)).toEqual([503, 503, 200]);
    main.server.faults.put.failFirst = 9;
    expect(await put('b')).toMatchObject({ reason: 'http_503' });
    expect(main.server.ledger.of('b')).toHaveLength(3);
  });

  it('is repeated when the connection breaks', async () => {
    main.server.faults.put.body = 'rst';
    const outcome = put('a');
    await waitFor(() => main.server.ledger.puts === 1, { what: 'the first PUT' });
    main.server.faults.put.body = 'normal';
    expect((await outcome).kind).toBe('delivered');
  });

  it.each([301, 404, 422, 500])('is not repeated after %d', async (status) => {
    main.server.faults.put.status = status;
    expect(await put('a')).toMatchObject({ kind: 'failed', status });
    expect(main.server.ledger.puts).toBe(1);
  });

  it('reads no more than 64 KiB', async () => {
    main.server.faults.put.body = 'huge';
    main.server.faults.put.status = 500;
    expect(await put('a')).toMatchObject({ reason: 'http_500' });
  });

  it('is aborted by the kill and by close()', async () => {
    main.server.faults.put.hang = true;
    const kill = new AbortController();
    const client = clients.create(main.server.url);
    const killed = client.updateStatus('a', QUEUED, within(DEADLINE_MS), kill.signal);
    await waitFor(() => main.server.ledger.puts === 1, { what: 'the PUT' });
    kill.abort();
    expect(await killed).toEqual({ kind: 'aborted' });
    const closed = client.updateStatus('b', QUEUED, within(DEADLINE_MS), never);
    await waitFor(() => main.server.ledger.puts === 2, { what: 'the PUT' });
    await client.stop();
    expect(await closed).toEqual({ kind: 'aborted' });
  });

  it('many at once look like no leak', async () => {
    const warnings: string[] = [];
    const note = ({ name }: Error) => warnings.push(name);
    process.on('warning', note);
    try {
      const client = clients.create(main.server.url);
      const kills = Array.from({ length: 20 }, () => new AbortController().signal);
      await Promise.all(
        kills.map((signal, at) => client.updateStatus(String(at), QUEUED, within(DEADLINE_MS), signal)),
      );
    } finally {
      process.off('warning', note);
    }
    expect(warnings).toEqual([]);
  });

  it('logs nothing of the key', async () => {
    const client = clients.create(`https://127.0.0.1:${await freePort()}`);
    const outcome = await client.updateStatus('a', QUEUED, within(DEADLINE_MS), never);
    expect(outcome).toMatchObject({ reason: 'connection_refused' });
    expect(JSON.stringify(outcome) + clients.lines.join()).not.toMatch(/PRIVATE|BEGIN/);
  });
});

describe('a PUT whose time is over', () => {
  it.each([
    ['the process was frozen', { now: 60_000, wall: 60_000 }],
    ['the host was suspended', { now: 0, wall: 60_000 }],
  ])('while it connected, does not leave: %s', async (_, step) => {
    const { stepped, clock } = steppedClock();
    const client = clients.create(main.server.url, { clock });
    const outcome = client.updateStatus('a', QUEUED, within(DEADLINE_MS, clock), never);
    Object.assign(stepped, step);
    expect(await outcome).toMatchObject({ kind: 'failed', reason: 'timeout', fateUnknown: false });
    expect(main.server.ledger.of('a')).toEqual([]);
    expect((await client.updateStatus('b', QUEUED, within(DEADLINE_MS, clock), never)).kind).toBe('delivered');
  });

  it('in the pause before its repeat, is not repeated', async () => {
    const { stepped, clock } = steppedClock();
    main.server.faults.put.status = 503;
    const paused = (ms: number) => {
      Object.assign(stepped, { now: 60_000, wall: 60_000 });
      return systemClock.sleep(ms);
    };
    const client = clients.create(main.server.url, { clock: { ...clock, sleep: paused } });
    expect(await client.updateStatus('a', QUEUED, within(DEADLINE_MS, clock), never)).toMatchObject({ status: 503 });
    expect(main.server.ledger.of('a')).toHaveLength(1);
  });

  it('on a kept socket, does not leave either', async () => {
    const { stepped, clock } = steppedClock();
    const client = clients.create(main.server.url, { clock });
    expect((await client.updateStatus('a', QUEUED, within(DEADLINE_MS, clock), never)).kind).toBe('delivered');
    const deadline = within(DEADLINE_MS, clock);
    stepped.wall = DEADLINE_MS;
    expect(await client.updateStatus('b', QUEUED, deadline, never)).toMatchObject({ reason: 'timeout' });
    expect(main.server.ledger.of('b')).toEqual([]);
  });

  it('as it waits for its answer, is reset and not closed', async () => {
    const raw = await startRawServer(() => undefined);
    const { stepped, clock } = steppedClock();
    const client = clients.create(raw.url, { clock });
    const outcome = client.updateStatus('a', QUEUED, within(DEADLINE_MS, clock), never);
    await waitFor(() => raw.heard.length === 1, { what: 'the PUT' });
    stepped.now = DEADLINE_MS;
    expect(await outcome).toMatchObject({ reason: 'timeout', fateUnknown: true });
    await waitFor(() => raw.ends.length > 0, { what: 'the end of the connection' });
    expect(raw.ends).toEqual(['ECONNRESET']);
    await raw.close();
  });

  it('is reset under TLS as well', async () => {
    main.server.faults.put.hang = true;
    const raw = await startRelay(main.server.port);
    const { stepped, clock } = steppedClock();
    const client = clients.create(`https://localhost:${raw.port}`, { clock });
    const outcome = client.updateStatus('a', QUEUED, within(DEADLINE_MS, clock), never);
    await waitFor(() => main.server.ledger.puts === 1, { what: 'the PUT' });
    stepped.now = DEADLINE_MS;
    expect(await outcome).toMatchObject({ reason: 'timeout' });
    await waitFor(() => raw.ends.length > 0, { what: 'the end of the connection' });
    expect(raw.ends).toEqual(['ECONNRESET']);
    await client.stop();
    await raw.close();
  });
});

describe('probe', () => {
  const probe = () => clients.create(main.server.url).probe();

  it('tells the four answers apart', async () => {
    expect(await probe()).toBe('reachable');
    main.server.faults.health = 'unhealthy';
    expect(await probe()).toBe('unhealthy');
    main.server.faults.health = 'absent';
    expect(await probe()).toBe('unsupported');
    expect(await clients.create(`https://127.0.0.1:${await freePort()}`).probe()).toBe('unreachable');
  });
});
