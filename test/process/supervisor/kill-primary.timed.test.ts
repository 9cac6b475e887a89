import { describe, expect, test, vi } from 'vitest';
import { useInstallation, type Fleet } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { isAlive } from '../../support/program/processes.js';
import type { Program } from '../../support/program/program.js';
import { waitFor } from '../../support/wait-for.js';

vi.setConfig({ testTimeout: 60_000 });
expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;
const WORKERS = 3;
const CONCURRENCY = 4;
const ORPHANS_LIVE_MS = 15_000;

describe('kill -9 of the supervisor under load', () => {
  test('children finish what they hold and are gone soon, and a new start delivers the rest', async () => {
    const { fleet, killed, killedAt } = await killSupervisorUnderLoad();
    await goneBy(killed, killedAt + ORPHANS_LIVE_MS);
    expect((await ledger.accountFor()).lost).toEqual([]);
    fleet.startAgain();
    const account = await ledger.quiet(20_000);
    expect(account).toMatchObject({ lost: [], misplaced: [], delivered: 1_000, duplicates: 0 });
  });

  test('a new start at once works beside the last orphans and recovers what they held within 2 s', async () => {
    const { server } = installation;
    const { fleet, killed, killedAt } = await killSupervisorUnderLoad();
    // the orphans die with what they hold in flight, as in a crash of everything
    server.faults.post.hang = true;
    await waitFor(async () => (await ledger.accountFor()).processing > 0, { what: 'messages in flight' });
    const orphans = killed.descendants();
    for (const pid of orphans) process.kill(pid, 'SIGKILL');
    server.faults.post.hang = false;
    const left = (await ledger.snapshot()).processing.length;
    expect(left).toBeGreaterThan(0);

    const next = fleet.startAgain();
    await next.waitForLine(/is ready/);
    await next.waitForLine(/of its messages are back in the queue/, 2_000);
    const account = await ledger.quiet(20_000);
    expect(account).toMatchObject({ lost: [], misplaced: [], delivered: 1_000 });
    expect(account.duplicates).toBeLessThanOrEqual(WORKERS * CONCURRENCY);
    await goneBy(killed, killedAt + ORPHANS_LIVE_MS);
  });

  test('a child whose event loop is blocked is gone after 15 s too', async () => {
    const preload = new URL('../fixtures/block-on-signal.mjs', import.meta.url).href;
    const { server } = installation;
    const fleet = await start(
      { WORKER_COUNT: WORKERS, WORKER_CONCURRENCY: CONCURRENCY },
      { NODE_OPTIONS: `--import ${preload}` },
    );
    const workers = await fleet.ready(WORKERS);
    server.faults.post.hang = true;
    await ledger.produce(50);
    await waitFor(() => server.ledger.posts === WORKERS * CONCURRENCY, { what: 'all slots to be taken' });
    const blocked = workers[1]?.pid ?? 0;
    process.kill(blocked, 'SIGUSR2');
    const killed = fleet.program;
    killed.signal('SIGKILL');
    const killedAt = performance.now();
    const others = workers.flatMap(({ pid }) => (pid === blocked ? [] : (pid ?? [])));
    await waitFor(() => !others.some(isAlive), { what: 'the others to drain', deadlineMs: ORPHANS_LIVE_MS });
    expect(isAlive(blocked)).toBe(true);
    await goneBy(killed, killedAt + ORPHANS_LIVE_MS);
    expect((await ledger.accountFor()).lost).toEqual([]);

    server.faults.post.hang = false;
    fleet.startAgain();
    expect(await ledger.quiet(20_000)).toMatchObject({ lost: [], misplaced: [], delivered: 50, duplicates: 0 });
  });

  test('a child that was draining already hands back what it holds before it would be killed', async () => {
    const { server } = installation;
    const fleet = await start({ WORKER_COUNT: 1, WORKER_CONCURRENCY: CONCURRENCY });
    await fleet.ready(1);
    server.faults.post.hang = true;
    await ledger.produce(CONCURRENCY);
    await waitFor(() => server.ledger.posts === CONCURRENCY, { what: 'all slots to be taken' });
    const killed = fleet.program;
    killed.signal('SIGTERM');
    await killed.waitForLine(/Waiting for 4 tasks to complete/);
    killed.signal('SIGKILL');
    await goneBy(killed, performance.now() + ORPHANS_LIVE_MS);
    expect(await ledger.accountFor()).toMatchObject({ lost: [], waiting: CONCURRENCY, processing: 0 });
  });
});

async function killSupervisorUnderLoad(): Promise<{
  readonly fleet: Fleet;
  readonly killed: Program;
  readonly killedAt: number;
}> {
  const { server } = installation;
  const fleet = await start({ WORKER_COUNT: WORKERS, WORKER_CONCURRENCY: CONCURRENCY });
  await fleet.ready(WORKERS);
  server.faults.post.delayMs = 20;
  await ledger.produce(1_000);
  await waitFor(() => server.ledger.delivered.size > 50, { what: 'load' });
  const killed = fleet.program;
  killed.signal('SIGKILL');
  return { fleet, killed, killedAt: performance.now() };
}

/** Children and the guardian: every process that stems from the killed one. */
async function goneBy(killed: Program, due: number): Promise<void> {
  await waitFor(() => killed.exit !== undefined && killed.descendants().length === 0, {
    what: 'all orphans to be gone',
    deadlineMs: due - performance.now(),
  });
}
