/** Rows 20 to 23: Redis answers, but not as it should. */
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { idOf } from '../../../support/ledger.js';
import { plainClient } from '../../../support/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Findings, Row } from '../../support/row.js';
import { pidsOf, type Stage } from '../../support/stage.js';

const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: 4 };
/** 2 ms for each key; connections are answered between pieces of 1 KiB. */
const LOADS_SLOWLY = ['--key-load-delay', '2000', '--loading-process-events-interval-bytes', '1024'];

export const REFUSING_REDIS_ROWS: readonly Row[] = [
  {
    id: '20c',
    fault: 'READONLY: Redis made a replica for 4 s under load, then master again',
    bound: 'every worker consumes < 3 s after it is master, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: readOnly,
  },
  {
    id: '20d',
    fault: 'BUSY: a script of somebody else runs for 4 s',
    bound: 'every worker consumes < 3 s after it ends, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: busy,
  },
  {
    id: '20e',
    fault: 'MISCONF: Redis cannot save and refuses writes',
    bound: 'every worker consumes < 3 s after it can, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: misconfigured,
  },
  {
    id: '20f',
    fault: '-UNBLOCKED: Redis made a replica for 2 s while the workers block in a pop, then master again',
    bound: 'every worker consumes < 3 s after it is master, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: unblocked,
  },
  {
    id: '20g',
    fault: '-LOADING: Redis killed under load, and its file takes 4 s to load',
    bound: 'every worker consumes < 2 s after PONG, 0 dup',
    limits: { recoveryMs: 2_000 },
    redis: { appendonly: true, args: ['--appendfsync', 'always', ...LOADS_SLOWLY] },
    run: loading,
  },
  {
    id: '20h',
    fault: "password of the worker's Redis user changed under load, its connections cut; mended by .env and SIGHUP",
    bound:
      'the log names REDIS_PASSWORD and shows none, every worker consumes < 10 s after SIGHUP; dup ≤ N·C (8): the old processes cannot acknowledge any more',
    limits: { recoveryMs: 10_000, duplicates: 8 },
    run: otherPassword,
  },
  {
    id: '21a',
    fault: 'Redis full (maxmemory, noeviction) with 350 messages waiting, a fifth of the POSTs fail',
    bound: 'nobody wedges: all are delivered and acknowledged in the full Redis < 15 s, an ERROR says so, 0 dup',
    limits: { recoveryMs: 15_000 },
    run: full,
  },
  { id: '21b', fault: 'maxmemory-policy allkeys-lru at boot', bound: 'WARNING and metric', run: evicting },
  {
    id: '22',
    fault: 'Redis answers 200 ms late under load, then stalls for 5 s',
    bound: '0 dup, nothing recovered from the living',
    run: late,
  },
  {
    id: '23a',
    fault: 'FLUSHALL under load',
    bound: 'what is in flight is delivered, new ones < 2 s; the waiting are lost by Redis',
    limits: { recoveryMs: 2_000 },
    run: flush,
  },
  {
    id: '23b',
    fault: 'WRONGTYPE: queue, retry, dead and consumers are strings for 3 s',
    bound: 'nobody dies, every worker consumes < 2 s after',
    limits: { recoveryMs: 2_000 },
    run: wrongType,
  },
  { id: '23c', fault: 'SCRIPT FLUSH every 50 ms under load', bound: '0 dup', run: forgetScripts },
];

async function loaded(stage: Stage, count: number): Promise<void> {
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(count);
  await waitFor(() => stage.server.ledger.posts > 50, { what: 'load' });
}

/** From the end of the fault until each worker has POSTed; messages must be waiting. */
async function consumesAgain(stage: Stage): Promise<Findings> {
  const endedAt = performance.now();
  return { recoveryMs: (await stage.everyWorkerPosts(endedAt, SETTINGS.WORKER_COUNT)) - endedAt };
}

async function readOnly(stage: Stage): Promise<Findings> {
  await loaded(stage, 2_000);
  await stage.client.replicaof('127.0.0.1', 1);
  await sleep(1_000);
  await stage.expectStandstill(3_000);
  await stage.client.replicaof('NO', 'ONE');
  return consumesAgain(stage);
}

/** A pop that blocks is answered -UNBLOCKED when its server becomes a replica. */
async function unblocked(stage: Stage): Promise<Findings> {
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  const pids = await pidsOf(fleet);
  const isBlocked = async () => (await stage.client.info('clients')).includes('blocked_clients:2');
  await waitFor(isBlocked, { what: 'both workers to block' });
  await stage.client.replicaof('127.0.0.1', 1);
  const answered = async () => (await stage.client.info('errorstats')).includes('errorstat_UNBLOCKED');
  await waitFor(answered, { what: 'the answer -UNBLOCKED' });
  await sleep(2_000);
  await stage.client.replicaof('NO', 'ONE');
  stage.server.faults.post.delayMs = 50;
  await stage.ledger.produce(200);
  const findings = await consumesAgain(stage);
  stage.expect(String(await pidsOf(fleet)) === String(pids), 'a worker has died');
  return findings;
}

/** Its file has 2,000 keys more than the queue's, each of which takes it 2 ms. */
async function loading(stage: Stage): Promise<Findings> {
  await loaded(stage, 2_000);
  const many = Array.from({ length: 2_000 }, (_, number) => [`filler:${number}`, 'x']).flat();
  await stage.client.mset(...many);
  await stage.client.bgrewriteaof();
  const isRewritten = async () => (await stage.client.info('persistence')).includes('aof_rewrite_in_progress:0');
  await waitFor(isRewritten, { what: 'one file of all keys' });
  await stage.redis.kill();
  const back = stage.redis.restart(); // until it is PONG that answers
  let refusals = 0;
  for (let over = false; !over;) {
    over = await Promise.race([back.then(() => true), sleep(50).then(() => false)]);
    if (await answersLoading(stage.redis.port)) refusals++;
  }
  stage.expect(refusals >= 5, `-LOADING was answered ${refusals} times only`);
  return consumesAgain(stage);
}

async function busy(stage: Stage): Promise<Findings> {
  await loaded(stage, 2_000);
  const other = plainClient(stage.redis.port);
  stage.onClose(async () => other.disconnect());
  await stage.client.config('SET', 'lua-time-limit', '200');
  const endless = other.eval('while true do end', 0).catch(() => undefined);
  await sleep(1_000);
  await stage.expectStandstill(3_000);
  await stage.client.script('KILL');
  await endless;
  return consumesAgain(stage);
}

/** A folder in the place of the dump makes every save fail. */
async function misconfigured(stage: Stage): Promise<Findings> {
  mkdirSync(join(stage.redis.directory, 'dump.rdb', 'in-the-way'), { recursive: true });
  await loaded(stage, 2_000);
  await stage.client.config('SET', 'save', '3600 1');
  await stage.client.bgsave();
  const isFailed = async () => (await stage.client.info('persistence')).includes('rdb_last_bgsave_status:err');
  await waitFor(isFailed, { what: 'a failed save' });
  await sleep(1_000);
  await stage.expectStandstill(2_000);
  await stage.client.config('SET', 'save', '');
  return consumesAgain(stage);
}

/** Connections that are open stay let in, so all are cut, as a restart would. */
async function otherPassword(stage: Stage): Promise<Findings> {
  const settings = { ...SETTINGS, REDIS_USERNAME: 'mbw', REDIS_PASSWORD: 'first-secret' };
  await stage.client.call('ACL', 'SETUSER', 'mbw', 'on', '>first-secret', '~*', '+@all');
  const fleet = await stage.start(settings);
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(1_500);
  await waitFor(() => stage.server.ledger.posts > 50, { what: 'load' });
  await stage.client.call('ACL', 'SETUSER', 'mbw', 'resetpass', '>second-secret');
  await stage.client.call('CLIENT', 'KILL', 'USER', 'mbw');
  await sleep(1_000);
  await stage.expectStandstill(2_000);
  const said = /the password is refused \(see REDIS_PASSWORD, REDIS_USERNAME\)/.test(fleet.logged());
  stage.expect(said, 'the log does not name REDIS_PASSWORD');
  stage.expect(!/first-secret|second-secret/.test(fleet.logged()), 'a password is in the log');
  fleet.configure({ ...settings, REDIS_PASSWORD: 'second-secret' });
  fleet.program.signal('SIGHUP');
  return consumesAgain(stage);
}

/** Producers are refused; what is there must be claimed, settled and retried all the same, or a full Redis stays full. */
async function full(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, WORKER_RETRY_INTERVAL: 1 });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 50;
  stage.server.faults.post.failRate = 0.2;
  stage.server.faults.post.failStatus = 500;
  await stage.ledger.produce(400);
  await waitFor(() => stage.server.ledger.posts > 50, { what: 'load' });
  await stage.client.config('SET', 'maxmemory', '1');
  const fullAt = performance.now();
  const refused = await stage.client.lpush('producer', 'x').catch((error: Error) => error.message);
  stage.expect(String(refused).startsWith('OOM'), 'producers are not refused');
  await waitFor(() => stage.server.ledger.delivered.size === 400, {
    what: 'the full Redis to be emptied',
    deadlineMs: 20_000,
  });
  const isEmpty = async () => Object.values(await stage.ledger.snapshot()).flat().length === 0;
  await waitFor(isEmpty, { what: 'all acknowledgements' });
  const recoveryMs = performance.now() - fullAt;
  await fleet.until('all ready', ({ workers }) => workers.every(({ state }) => state === 'ready'));
  await waitFor(() => fleet.logged().includes('refuses a command: OOM'), { what: 'an ERROR that names it' });
  await stage.client.config('SET', 'maxmemory', '0');
  stage.server.faults.post.failRate = 0;
  await stage.ledger.produce(200);
  await consumesAgain(stage);
  return { recoveryMs };
}

/** By a connection of its own: a client of ours would wait until it is over. */
function answersLoading(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'));
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => finish(data.toString().startsWith('-LOADING')));
    socket.once('error', () => finish(false));
  });
}

async function evicting(stage: Stage): Promise<Findings> {
  await stage.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  await stage.ledger.produce(20);
  stage.expect(/WARNING.*maxmemory-policy allkeys-lru/.test(fleet.logged()), 'no WARNING');
  const metrics = await fleet.get('/metrics/workers');
  stage.expect(/worker_redis_eviction_safe\{[^}]*\} 0/.test(metrics), 'no metric');
  return {};
}

async function late(stage: Stage): Promise<Findings> {
  const proxy = await stage.proxy(stage.redis.port);
  const fleet = await stage.start({ ...SETTINGS, REDIS_PORT: proxy.port });
  await fleet.ready(2);
  proxy.setDelay(100);
  const load = stage.load(10);
  await sleep(8_000);
  await load.stop();
  // claims that live through the stall: without them there would be nothing to take from the living
  stage.server.faults.post.delayMs = 7_000;
  await stage.ledger.produce(8);
  await waitFor(() => stage.openPosts().length === 8, { what: 'POSTs under way' });
  stage.redis.freeze();
  await sleep(5_000);
  stage.redis.thaw();
  stage.server.faults.post.delayMs = 0;
  await stage.ledger.produce(40);
  await waitFor(() => stage.server.ledger.delivered.size === stage.ledger.produced.length, {
    what: 'delivery',
    deadlineMs: 30_000,
  });
  stage.expect(!/Recovered|lost its lease/.test(fleet.logged()), 'claims of a living worker were recovered');
  return {};
}

async function flush(stage: Stage): Promise<Findings> {
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  const pids = await pidsOf(fleet);
  stage.server.faults.post.delayMs = 500;
  await stage.ledger.produce(100);
  await waitFor(() => stage.openPosts().length === 8, { what: 'POSTs under way' });
  const inFlight = stage.openPosts().map(({ id }) => id);
  const lostByRedis = new Set((await stage.ledger.snapshot()).waiting.map(idOf));
  await stage.client.flushall();
  const flushedAt = performance.now();
  await waitFor(() => inFlight.every((id) => stage.server.ledger.delivered.has(id)), { what: 'those in flight' });
  await stage.ledger.produce(20);
  const producedAt = performance.now();
  const again = await stage.firstPostAfter(Math.max(flushedAt, producedAt));
  stage.expect(String(await pidsOf(fleet)) === String(pids), 'a worker has died');
  return { recoveryMs: again - producedAt, lostByRedis, note: `Redis was told to forget ${lostByRedis.size}` };
}

async function wrongType(stage: Stage): Promise<Findings> {
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  const pids = await pidsOf(fleet);
  const { queue, retry, dead, consumers } = stage.keys;
  for (const key of [queue, retry, dead, consumers]) await stage.client.set(key, 'not what it should be');
  await sleep(3_000);
  await stage.client.del(queue, retry, dead, consumers);
  stage.server.faults.post.delayMs = 50;
  await stage.ledger.produce(100);
  const findings = await consumesAgain(stage);
  stage.expect(String(await pidsOf(fleet)) === String(pids), 'a worker has died');
  return findings;
}

async function forgetScripts(stage: Stage): Promise<Findings> {
  await loaded(stage, 1_000);
  for (let flushes = 0; flushes < 60; flushes++) {
    await stage.client.script('FLUSH');
    await sleep(50);
  }
  return {};
}
