/** MAIN_SERVER_TIMEOUT is the time of the whole exchange, connection and body included, whatever goes wrong within it. */
import { describe, expect, it } from 'vitest';
import { crowded } from '../../support/crowding.js';
import { useCertificates } from '../../support/main-server/certificates.js';
import { useClients, within } from '../../support/main-server/delivery.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';

expectNoLeftovers();
const certificates = useCertificates();
const main = useMainServer(certificates);
const clients = useClients(certificates);
const never = new AbortController().signal;
const QUEUED = { status: 'queued', attemptCount: 3, errorMessage: 'HTTP 503' } as const;

const short = { overrides: { mainServer: { timeoutMs: 400 } } };
/** The deadline, and what timers and a busy machine may add. */
const LONGEST_MS = 400 + 200;

async function timed<T>(work: () => Promise<T>): Promise<{ readonly outcome: T; readonly ms: number }> {
  const start = performance.now();
  const outcome = await work();
  return { outcome, ms: performance.now() - start };
}

describe('a POST', () => {
  const post = () => timed(() => clients.create(main.server.url, short).deliver('a', never));

  it('to a server that hangs', async () => {
    main.server.faults.post.hang = true;
    const { outcome, ms } = await post();
    expect(outcome).toMatchObject({ reason: 'timeout', errorMessage: 'Connection timeout', reachable: false });
    expect(ms).toBeGreaterThanOrEqual(395);
    expect(ms).toBeLessThan(crowded(LONGEST_MS));
  });

  it('whose answer drips', async () => {
    main.server.faults.post.body = 'drip';
    main.server.faults.post.status = 500;
    const { outcome, ms } = await post();
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'http_500' });
    expect(ms).toBeLessThan(crowded(LONGEST_MS));
  });

  it('into a network that is silent, on a kept socket and on a new one', async () => {
    const proxy = await startTcpProxy(main.server.port);
    const client = clients.create(`https://localhost:${proxy.port}`, short);
    expect((await client.deliver('before', never)).kind).toBe('delivered');
    await proxy.setMode('blackhole');
    const { outcome, ms } = await timed(() => Promise.all(['b', 'c'].map((id) => client.deliver(id, never))));
    expect(ms).toBeLessThan(crowded(LONGEST_MS));
    for (const each of outcome) expect(each).toMatchObject({ reason: 'timeout', reachable: false });
    await client.stop();
    await proxy.close();
  });
});

describe('a connection that takes longer than 10 s', () => {
  it('is waited for: the deadline is the only one', async () => {
    const proxy = await startTcpProxy(main.server.port);
    await proxy.setMode('blackhole');
    const client = clients.create(`https://localhost:${proxy.port}`);
    const { outcome, ms } = await timed(async () => {
      const posted = client.deliver('a', never);
      await systemClock.sleep(11_000);
      await proxy.setMode('pass');
      return posted;
    });
    expect(outcome).toEqual({ kind: 'delivered', status: 200 });
    expect(ms).toBeGreaterThan(11_000);
    await client.stop();
    await proxy.close();
  });
});

describe('a PUT', () => {
  it('ends at its deadline with all its repeats', async () => {
    const client = clients.create(main.server.url);
    await client.updateStatus('connected', QUEUED, within(5_000), never);
    for (const fault of ['hang', 'drip', 'status'] as const) {
      main.server.clear();
      if (fault === 'hang') main.server.faults.put.hang = true;
      if (fault === 'drip') main.server.faults.put.body = 'drip';
      if (fault === 'status') main.server.faults.put.status = 503;
      const start = performance.now();
      const outcome = await client.updateStatus('a', QUEUED, within(500), never);
      expect(performance.now() - start).toBeLessThan(crowded(600));
      expect(outcome.kind).toBe(fault === 'drip' ? 'delivered' : 'failed');
    }
  });
});
