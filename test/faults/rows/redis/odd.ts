/** Rows 21 to 23: Redis is full, may evict, is late, or does not hold what it should. */
import { setTimeout as sleep } from 'node:timers/promises';
import { idOf } from '../../../support/ledger.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Findings, Row } from '../../support/row.js';
import { pidsOf, type Stage } from '../../support/stage.js';
import { consumesAgain, loaded, SETTINGS } from './under-load.js';

export const ODD_REDIS_ROWS: readonly Row[] = [
  {
    id: '21a',
    fault: 'Redis full (maxmemory, noeviction) with 350 messages waiting, a fifth of the POSTs fail',
    bound: 'nobody wedges: all are delivered and acknowledged in the full Redis < 15 s, an ERROR says so, 0 dup',
    limits: { recoveryMs: 15_000 },
    run: full,
  },
  {
    id: '21b',
    fault: 'maxmemory-policy allkeys-lru at boot, mended while the workers run',
    bound: 'WARNING and metric; the metric follows within 15 s',
    limits: { recoveryMs: 15_000 },
    run: evicting,
  },
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

async function evicting(stage: Stage): Promise<Findings> {
  await stage.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  await stage.ledger.produce(20);
  stage.expect(/WARNING.*maxmemory-policy allkeys-lru/.test(fleet.logged()), 'no WARNING');
  const shown = async () =>
    (await fleet.get('/metrics/workers')).match(/worker_redis_eviction_safe\{[^}]*\} [01]/g) ?? [];
  stage.expect(
    (await shown()).some((line) => line.endsWith(' 0')),
    'no metric',
  );
  await stage.client.config('SET', 'maxmemory-policy', 'noeviction');
  const mendedAt = performance.now();
  const isSafe = async () => (await shown()).every((line) => line.endsWith(' 1'));
  await waitFor(isSafe, { what: 'the metric of both workers to follow', deadlineMs: 30_000 });
  return { recoveryMs: performance.now() - mendedAt };
}

async function late(stage: Stage): Promise<Findings> {
  const proxy = await stage.proxy(stage.redis.port);
  // on a busy machine the limit that is found out is less than all 8
  const fleet = await stage.start({ ...SETTINGS, WORKER_CONCURRENCY_CONTROL: 'fixed', REDIS_PORT: proxy.port });
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
