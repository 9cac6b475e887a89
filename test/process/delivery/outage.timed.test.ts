import { expect, test, vi } from 'vitest';
import { crowded } from '../../support/crowding.js';
import { useInstallation } from '../../support/program/fleet.js';
import { attemptCountOf } from '../../support/ledger.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';

vi.setConfig({ testTimeout: 60_000 });
expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;
/** Of one worker: the breaker opens after these, and as many again may be in flight. */
const THRESHOLD = 10;
const CONCURRENCY = 4;

test('a main server that refuses pauses claiming, spends no attempts, and gets the full rate back in 5 s', async () => {
  const proxy = await startTcpProxy(installation.server.port);
  try {
    await throughAnOutage(proxy);
  } finally {
    await proxy.close();
  }
});

test('a health probe that hangs holds up no stop', async () => {
  const { server } = installation;
  const proxy = await startTcpProxy(server.port);
  try {
    const fleet = await start({ WORKER_COUNT: 1, MAIN_SERVER_URL: `https://localhost:${proxy.port}` });
    await fleet.ready(1);
    await proxy.setMode('refuse');
    await ledger.produce(20);
    await fleet.until('an open breaker', ({ workers }) => workers.every(({ breaker }) => breaker === 'open'));
    server.faults.health = 'hang';
    await proxy.setMode('pass');
    await waitFor(() => server.ledger.probedAt.length > 0, { what: 'a probe', deadlineMs: 10_000 });
    const askedAt = performance.now();
    fleet.program.signal('SIGTERM');
    expect(await fleet.program.waitForExit()).toEqual({ code: 0, signal: null });
    expect(performance.now() - askedAt).toBeLessThan(crowded(3_000));
  } finally {
    await proxy.close();
  }
});

async function throughAnOutage(proxy: TcpProxy): Promise<void> {
  const { server } = installation;
  const fleet = await start({
    WORKER_COUNT: 2,
    WORKER_RETRY_INTERVAL: 1,
    WORKER_CONCURRENCY: CONCURRENCY,
    MAIN_SERVER_URL: `https://localhost:${proxy.port}`,
  });
  await fleet.ready(2);
  await ledger.produce(100);
  await ledger.quiet();
  await proxy.setMode('refuse');
  await ledger.produce(500);
  await fleet.until('both breakers to be open', ({ workers }) => workers.every(({ breaker }) => breaker === 'open'));
  await fleet.program.waitForLine(/Main server cannot be reached \(connection_refused\): claiming is paused/);
  expect((await fetch(`http://127.0.0.1:${fleet.port}/ready`)).status).toBe(503);
  // retries fall due and go back to the queue; nobody claims them
  await waitFor(async () => (await ledger.accountFor()).waiting === 500, { what: 'all to wait' });
  const tried = (await ledger.snapshot()).waiting.filter((raw) => attemptCountOf(raw) !== 0);
  expect(tried.length).toBeGreaterThan(0);
  expect(tried.length).toBeLessThanOrEqual(2 * (THRESHOLD + CONCURRENCY));
  expect(tried.every((raw) => attemptCountOf(raw) === 1)).toBe(true);

  await proxy.setMode('pass');
  const backAt = performance.now();
  // by the log: a status is up to a second old
  const closed = () => fleet.program.lines.filter(({ text }) => /Main server can be reached again/.test(text)).length;
  await waitFor(() => closed() === 2, { what: 'both breakers to be closed', deadlineMs: 10_000 });
  expect(performance.now() - backAt).toBeLessThan(crowded(5_500));
  expect(await ledger.quiet()).toMatchObject({ lost: [], misplaced: [], delivered: 600, duplicates: 0 });
  expect(server.ledger.posts).toBe(600);
}
