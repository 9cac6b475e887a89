import { expect, test, vi } from 'vitest';
import { redisKeys } from '../../../src/queue/keys.js';
import type { ReadinessDocument } from '../../../supervisor/status/status-document.js';
import { useInstallation, type Fleet } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { waitFor } from '../../support/wait-for.js';

vi.setConfig({ testTimeout: 120_000 });
expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;
const { paused, pausedSeen, consumers } = redisKeys('message_queue');
const PAUSE = JSON.stringify({ id: 'p1', who: 'anna', where: 'web-1', why: 'new main server' });

/** Every consumer with a lease has said that it keeps the pause of this id. */
async function confirmed(id: string, count: number): Promise<void> {
  const { client } = installation.redis;
  await waitFor(
    async () => {
      const [leased, seen] = [await client.zrangebyscore(consumers, '0', '+inf'), await client.hgetall(pausedSeen)];
      return leased.length === count && leased.every((consumer) => seen[consumer] === id);
    },
    { what: 'the confirmations' },
  );
}

async function ready(fleet: Fleet): Promise<{ readonly status: number; readonly body: ReadinessDocument }> {
  const response = await fetch(`http://127.0.0.1:${fleet.port}/ready`, { headers: { connection: 'close' } });
  return { status: response.status, body: (await response.json()) as ReadinessDocument };
}

test('once all have confirmed it no POST begins; what is in flight ends; deleted, deliveries go on', async () => {
  const { redis, server } = installation;
  const fleet = await start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: 4 });
  await fleet.ready(2);
  Object.assign(server.faults.post, { delayMs: 20 });
  await ledger.produce(2_000);
  await waitFor(() => server.ledger.posts > 50, { what: 'load' });
  await redis.client.set(paused, PAUSE);
  await confirmed('p1', 2);
  const late: string[] = [];
  server.onPost = (id) => void late.push(id);
  const inFlight = (await ledger.snapshot()).processing.map(String);
  await waitFor(async () => (await ledger.accountFor()).processing === 0, { what: 'an empty hand' });
  // what had left when the last one confirmed may still have been on its way
  expect(late.filter((id) => !inFlight.some((raw) => raw.includes(`"${id}"`)))).toEqual([]);
  const { posts } = server.ledger;
  await fleet.until('said', ({ queue }) => queue.paused?.who === 'anna');
  await ledger.produce(10);
  await fleet.program.waitForLine(
    /WARNING - .*Deliveries are paused by anna on web-1 until somebody ends it: new main/,
  );
  const before = await fleet.status();
  await fleet.until(
    'four seconds',
    ({ supervisor }) => supervisor.uptime_seconds > before.supervisor.uptime_seconds + 4,
  );
  expect(server.ledger.posts).toBe(posts);
  const said = await ready(fleet);
  expect(said.status).toBe(200);
  expect(said.body.warnings).toContain(
    'deliveries are paused by anna on web-1 until somebody ends it: new main server',
  );
  expect((await fleet.status()).workers.map(({ state, consuming }) => [state, consuming])).toEqual([
    ['ready', true],
    ['ready', true],
  ]);
  Object.assign(server.faults.post, { delayMs: 0 });
  await redis.client.del(paused);
  expect(await ledger.quiet()).toMatchObject({ delivered: 2_010, duplicates: 0, lost: [], misplaced: [] });
  expect(await redis.client.exists(pausedSeen)).toBe(0);
  await fleet.program.waitForLine(/INFO - .*Deliveries go on: the pause is over after \d+ s/);
  expect(fleet.logged().match(/Deliveries are paused/g)).toHaveLength(1);
});

test('a worker that stood still for longer than a second begins nothing that it had claimed before', async () => {
  const { redis, server } = installation;
  const fleet = await start({ WORKER_COUNT: 1 });
  const [worker] = await fleet.ready(1);
  process.kill(worker!.pid!, 'SIGSTOP');
  try {
    // a blocking pop is under way: the message is the worker's before it knows
    await ledger.produce(1);
    await waitFor(async () => (await ledger.snapshot()).processing.length === 1, { what: 'the claim' });
    await redis.client.set(paused, PAUSE);
    const at = performance.now();
    await waitFor(() => performance.now() - at > 1_500, { what: 'the stall' });
  } finally {
    process.kill(worker!.pid!, 'SIGCONT');
  }
  await confirmed('p1', 1);
  await waitFor(async () => (await ledger.accountFor()).waiting === 1, { what: 'it to go back' });
  expect(server.ledger.posts).toBe(0);
  await redis.client.del(paused);
  expect(await ledger.quiet()).toMatchObject({ delivered: 1, duplicates: 0 });
});

test('a pause that was there before the workers, without a word of who, and one that ends by itself', async () => {
  const { redis, server } = installation;
  await redis.client.set(paused, 'yes');
  await ledger.produce(5);
  const fleet = await start({ WORKER_COUNT: 1 });
  await fleet.ready(1);
  expect((await ready(fleet)).status).toBe(200);
  await fleet.program.waitForLine(/Deliveries are paused by unknown until somebody ends it: what stands under the key/);
  expect(server.ledger.posts).toBe(0);
  const [seconds] = (await redis.client.time()).map(Number);
  await redis.client.set(paused, JSON.stringify({ id: 'p2', who: 'ben', until: seconds! + 3 }));
  await confirmed('p2', 1);
  expect(server.ledger.posts).toBe(0);
  expect(await ledger.quiet()).toMatchObject({ delivered: 5, duplicates: 0 });
});
