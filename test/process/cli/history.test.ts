import { expect, test } from 'vitest';
import { redisKeys } from '../../../src/queue/keys.js';
import type { HistoryDocument } from '../../../supervisor/admin/protocol.js';
import { useInstallation } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { startProgram } from '../../support/program/program.js';
import { QUEUE } from '../../support/redis/queue.js';
import { waitFor } from '../../support/wait-for.js';
import { runCommand, type Ran } from '../fixtures/operated.js';

expectNoLeftovers();
const installation = useInstallation();
const { ledger, redis, start } = installation;
const keys = redisKeys(QUEUE);
const MESSAGES = 1_500;
/** While no supervisor runs: however quick the stop, the next one has work. */
const PUSHED_MEANWHILE = 300;

function command(cwd: string, ...args: string[]): Promise<Ran> {
  return runCommand(args, { env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) }, cwd });
}

async function historyIn(cwd: string, ...args: string[]): Promise<HistoryDocument> {
  const { out, err } = await command(cwd, 'history', '--json', ...args);
  expect(err).toBe('');
  return JSON.parse(out) as HistoryDocument;
}

/** From then on what is pushed is an arrival. */
async function untilBegun(): Promise<void> {
  await waitFor(() => redis.client.hexists(keys.history, 'held').then((found) => found === 1), {
    what: 'a first look',
  });
}

/** Each fifth message fails once. */
function failSome(): { readonly failed: () => number } {
  const seen = new Set<string>();
  let failed = 0;
  installation.server.onPost = (id) => {
    const fails = Number(id.split('-')[1]) % 5 === 0 && !seen.has(id);
    seen.add(id);
    if (fails) failed += 1;
    installation.server.faults.post.status = fails ? 500 : undefined;
  };
  return { failed: () => failed };
}

test('a restart of the supervisor in the middle of it all loses no count, and what arrived is what was pushed', async () => {
  const fleet = await start({ WORKER_COUNT: 2, WORKER_RETRY_INTERVAL: 1, WORKER_CONCURRENCY_CONTROL: 'fixed' });
  await fleet.ready(2);
  await untilBegun();
  const failing = failSome();
  await ledger.produce(MESSAGES - PUSHED_MEANWHILE);
  await waitFor(() => installation.server.ledger.delivered.size > 200, { what: 'load' });
  fleet.program.signal('SIGTERM');
  expect(await fleet.program.waitForExit()).toEqual({ code: 0, signal: null });
  const before = installation.server.ledger.delivered.size;
  expect((await historyIn(fleet.cwd)).total).toMatchObject({ delivered: before, failed: failing.failed() });
  await ledger.produce(PUSHED_MEANWHILE);

  fleet.startAgain();
  await ledger.quiet();
  const { queue } = await fleet.until('all arrivals', ({ queue: { arrivals } }) => arrivals.arrived === MESSAGES);
  expect(queue.arrivals).toMatchObject({ arrived: MESSAGES });
  expect(await fleet.get('/metrics')).toContain(`\nredis_arrivals_total ${MESSAGES}\n`);
  fleet.program.signal('SIGTERM');
  await fleet.program.waitForExit();
  const expected = {
    delivered: MESSAGES,
    arrived: MESSAGES,
    failed: failing.failed(),
    retried: failing.failed(),
    buried: 0,
  };
  for (const by of ['day', 'hour', 'minute']) {
    const { total, rows } = await historyIn(fleet.cwd, '--days', '2', '--by', by);
    expect(total).toMatchObject(expected);
    expect(total.most_waiting).toBeGreaterThan(0);
    expect(rows.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(MESSAGES);
  }
});

test('the command, the route and the status tell the same; what cannot be is refused', async () => {
  const fleet = await start({ WORKER_COUNT: 1 });
  await fleet.ready(1);
  expect((await command(fleet.cwd, 'history')).out).toBe(
    'queue message_queue, 7 days by day: nothing has happened that this program has counted.',
  );
  await untilBegun();
  await ledger.produce(40);
  await ledger.quiet();
  await waitFor(async () => (await historyIn(fleet.cwd)).total.delivered === 40, { what: 'the deliveries' });
  const answered = JSON.parse(await fleet.get('/history?days=1&by=hour')) as HistoryDocument;
  const printed = await historyIn(fleet.cwd, '--days', '1');
  expect({ ...answered, at: '' }).toEqual({ ...printed, at: '' });
  expect(answered).toMatchObject({ schema_version: 1, queue: QUEUE, days: 1, by: 'hour' });
  expect(answered.rows).toHaveLength(24);
  const { out } = await command(fleet.cwd, 'history', '--days', '2', '--by', 'day');
  expect(out).toMatch(
    /^queue message_queue, 2 days by day; [^]*\n20\d\d-\d\d-\d\d +40 +40 +0 +0 +0 .* █{24}\nall +40 +40 /,
  );
  const later = await fleet.until('a rate', ({ queue: { arrivals } }) => arrivals.arrived_per_second !== null);
  expect(later.queue.arrivals).toMatchObject({ arrived: 40, trend: 'none' });
  const status = await command(fleet.cwd, 'status', '--supervisor-port', String(fleet.port));
  expect(status.out).toMatch(/^arriving \d+\.\d\/s {3}/m);

  expect(await fleet.get('/history?days=9&by=minute')).toMatch(/"error": ?"By minute the history goes back 8 days; /);
  expect(await command(fleet.cwd, 'history', '--days', '9', '--by', 'minute')).toMatchObject({
    code: 2,
    err: 'ERROR: --days must be a whole number from 1 to 8 by minute.',
  });
  expect((await command(fleet.cwd, 'history', '--by', 'week')).code).toBe(2);
});

test('a worker alone writes it too, beside a supervisor', async () => {
  const fleet = await start({ WORKER_COUNT: 1 });
  await fleet.ready(1);
  await untilBegun();
  const args = ['worker', '--worker-id', 'alone', '--metrics-port', String(fleet.metricsPort + 3)];
  const alone = startProgram({ cwd: fleet.cwd, env: {}, args });
  try {
    await alone.waitForLine(/Configuration: retry_interval/);
    installation.server.faults.post.delayMs = 50;
    await ledger.produce(400);
    await ledger.quiet();
    alone.signal('SIGTERM');
    expect(await alone.waitForExit()).toEqual({ code: 0, signal: null });
  } finally {
    await alone.destroy();
  }
  const { delivered = 0 } = (await fleet.status()).totals;
  expect(delivered).toBeLessThan(400);
  await waitFor(async () => (await historyIn(fleet.cwd)).total.delivered === 400, { what: 'all deliveries' });
  await fleet.until('all arrivals', ({ queue: { arrivals } }) => arrivals.arrived === 400);
});
