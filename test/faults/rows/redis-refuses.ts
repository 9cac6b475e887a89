/** Rows 20 to 23: Redis answers, but not as it should. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { idOf } from '../../support/ledger.js';
import { plainClient } from '../../support/redis.js';
import { waitFor } from '../../support/wait-for.js';
import type { Findings, Row } from '../support/row.js';
import { pidsOf, type Stage } from '../support/stage.js';

const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: 4 };

export const REFUSING_REDIS_ROWS: readonly Row[] = [
  {
    id: '20c',
    fault: 'READONLY: Redis made a replica for 4 s under load, then master again',
    bound: 'consume < 3 s after it is master, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: readOnly,
  },
  {
    id: '20d',
    fault: 'BUSY: a script of somebody else runs for 4 s',
    bound: 'consume < 3 s after it ends, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: busy,
  },
  {
    id: '20e',
    fault: 'MISCONF: Redis cannot save and refuses writes',
    bound: 'consume < 3 s after it can, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: misconfigured,
  },
  {
    id: '21a',
    fault: 'Redis full (maxmemory, noeviction) for 6 s under load, a fifth of the POSTs fail',
    bound: 'what is in flight is settled, consume < 2 s after, 0 dup',
    limits: { recoveryMs: 2_000 },
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
    bound: 'nobody dies, consume < 2 s after',
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

/** From the end of the fault to the next POST; messages must be waiting. */
async function consumesAgain(stage: Stage): Promise<Findings> {
  const endedAt = performance.now();
  return { recoveryMs: (await stage.firstPostAfter(endedAt)) - endedAt };
}

async function readOnly(stage: Stage): Promise<Findings> {
  await loaded(stage, 2_000);
  await stage.client.replicaof('127.0.0.1', 1);
  await sleep(4_000);
  await stage.client.replicaof('NO', 'ONE');
  return consumesAgain(stage);
}

async function busy(stage: Stage): Promise<Findings> {
  await loaded(stage, 2_000);
  const other = plainClient(stage.redis.port);
  stage.onClose(async () => other.disconnect());
  await stage.client.config('SET', 'lua-time-limit', '200');
  const endless = other.eval('while true do end', 0).catch(() => undefined);
  await sleep(4_000);
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
  await sleep(3_000);
  await stage.client.config('SET', 'save', '');
  return consumesAgain(stage);
}

/** Settling is never refused, not even a retry: LREM comes first in the script, and only a first write can be refused. */
async function full(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, WORKER_RETRY_INTERVAL: 1 });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 50;
  stage.server.faults.post.failRate = 0.2;
  stage.server.faults.post.failStatus = 500;
  await stage.ledger.produce(400);
  await waitFor(() => stage.server.ledger.posts > 50, { what: 'load' });
  await stage.client.config('SET', 'maxmemory', '1');
  await sleep(6_000);
  stage.expect(fleet.logged().includes('refuses a command: OOM'), 'no ERROR says that Redis is full');
  await stage.client.config('SET', 'maxmemory', '0');
  await stage.ledger.produce(40);
  return consumesAgain(stage);
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
  stage.redis.freeze();
  await sleep(5_000);
  stage.redis.thaw();
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
  await stage.ledger.produce(40);
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
