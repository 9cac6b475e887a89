import { expect, test, vi } from 'vitest';
import { redisKeys } from '../../../src/queue/keys.js';
import type { AuditDocument, PauseAnswer } from '../../../supervisor/admin/shapes/deeds.js';
import type { ReadinessDocument } from '../../../supervisor/status/status-document.js';
import { useInstallation, type Fleet } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { waitFor } from '../../support/wait-for.js';
import { runCommand, TOKEN } from '../fixtures/operated.js';

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

test('as operators pause: the command waits for every worker, and who, why and when it was stand everywhere', async () => {
  const { redis, server } = installation;
  const fleet = await start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: 4 });
  const command = (...args: string[]) => runCommand(args, { env: {}, cwd: fleet.cwd });
  await fleet.ready(2);
  Object.assign(server.faults.post, { delayMs: 20 });
  await ledger.produce(500);
  await waitFor(() => server.ledger.posts > 50, { what: 'load' });
  const asked = await command('pause', '--for', '2h', '--reason', 'new main server', '--json');
  const { posts } = server.ledger;
  expect(asked).toMatchObject({ code: 0, err: '' });
  const answer = JSON.parse(asked.out) as PauseAnswer;
  expect(answer).toMatchObject({ schema_version: 1, complete: true, why: 'new main server', missing: [] });
  expect(answer.confirmed).toHaveLength(2);
  await fleet.until('it to be seen', ({ queue }) => queue.paused?.id === answer.id);
  const shown = await command('status');
  expect(shown.out).toMatch(/^PAUSED {2}deliveries are paused by \S+ on \S+ until \S+Z: new main server/);
  expect((await ready(fleet)).body.paused).toMatchObject({ why: 'new main server', until: answer.until });
  expect(await fleet.get('/metrics')).toContain('\nmessage_broker_paused 1\n');
  expect((await command('pause')).out).toMatch(
    /^Before this, deliveries are paused by .*new main server; this pause takes its place\.\nDeliveries are paused by .* until somebody ends it\.\nAll 2 workers have confirmed it: no delivery begins any more, nothing is in flight\.\nTo have/,
  );
  expect(server.ledger.posts).toBe(posts);
  Object.assign(server.faults.post, { delayMs: 0 });
  expect((await command('resume')).out).toMatch(
    /^Deliveries go on within a second\.\nBefore this, they were paused by/,
  );
  expect(await ledger.quiet()).toMatchObject({ delivered: 500, duplicates: 0, lost: [], misplaced: [] });
  expect(await command('resume')).toMatchObject({ code: 0, out: 'Deliveries were not paused.' });
  expect((await command('audit')).out).toMatch(
    /^AT +ACTION +WHO +WHERE +COUNT +WHAT\n\S+Z +resume .* it was paused by \S+\n\S+Z +pause .* -\n\S+Z +pause .* for 7200 s: new main server$/,
  );
  expect(await redis.client.exists(pausedSeen)).toBe(0);
});

test('over HTTP: the token pauses and resumes, and its address stands in the audit', async () => {
  const fleet = await start({ WORKER_COUNT: 1, SUPERVISOR_ADMIN_TOKEN: TOKEN });
  await fleet.ready(1);
  const post = (path: string, body = {}) =>
    fetch(`http://127.0.0.1:${fleet.port}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, connection: 'close' },
      body: JSON.stringify(body),
    });
  const again = await post('/pause', { for_seconds: 600 });
  expect([again.status, await again.json()]).toMatchObject([200, { complete: true, who: 'token' }]);
  expect((await post('/pause', { for_seconds: 0 })).status).toBe(400);
  expect(await (await post('/resume')).json()).toMatchObject({ ended: { who: 'token', where: '127.0.0.1' } });
  const { out } = await runCommand(['audit', '--json'], { env: {}, cwd: fleet.cwd });
  const written = JSON.parse(out) as AuditDocument;
  expect(written.entries.map(({ action, where, detail }) => [action, where, detail])).toEqual([
    ['resume', '127.0.0.1', 'it was paused by token'],
    ['pause', '127.0.0.1', 'for 600 s'],
  ]);
});

test('a worker that hangs is named, and the pause stands', async () => {
  const fleet = await start({ WORKER_COUNT: 1 });
  const [worker] = await fleet.ready(1);
  process.kill(worker!.pid!, 'SIGSTOP');
  try {
    const { code, err } = await runCommand(['pause'], { env: {}, cwd: fleet.cwd });
    expect(code).toBe(1);
    expect(err).toMatch(
      /^ERROR: The pause stands, but 1 of 1 workers have not confirmed it within 5 s .*: worker-1 on \S+ \(pid \d+\)\./,
    );
  } finally {
    process.kill(worker!.pid!, 'SIGCONT');
  }
  await installation.redis.client.del(paused);
});
