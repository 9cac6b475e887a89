/** Rows 13, 20a and 20b: several hosts, several Redis servers. */
import { execFileSync } from 'node:child_process';
import { Cluster, type Redis } from 'ioredis';
import { startRedis } from '../../../scripts/redis-process.js';
import { findProgram } from '../../../scripts/find-redis.js';
import { plainClient } from '../../support/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { moveSlot, startCluster } from '../support/redis-cluster.js';
import { startSentinels } from '../support/redis-sentinels.js';
import type { Findings, Row } from '../support/row.js';
import type { Stage } from '../support/stage.js';
import { startedBy } from '../support/started-by.js';

const CONCURRENCY = 4;
const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY };

export const SEVERAL_ROWS: readonly Row[] = [
  {
    id: '13',
    fault: 'two hosts with the same worker ids on one queue; power loss of one',
    bound: 'no stealing before, its messages tried again ≤ 15 s, dup ≤ N·C (8)',
    limits: { recoveryMs: 15_000, duplicates: 2 * CONCURRENCY },
    run: loseHost,
  },
  {
    id: '20a',
    fault: 'Sentinel: kill -9 of the master under load (2 replicas, 3 sentinels)',
    bound: 'consume < 3 s after the promotion, 0 lost, dup ≤ acks not replicated (400)',
    limits: { recoveryMs: 3_000, duplicates: 400 },
    run: sentinelFailover,
  },
  {
    id: '20b',
    fault: 'Redis Cluster: failover of the master of our slot, then the slot moves, under load',
    bound: 'consume < 3 s after each, 0 lost, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: clusterChanges,
  },
];

async function loseHost(stage: Stage): Promise<Findings> {
  const command = `exec unshare --uts sh -c 'hostname elsewhere && exec "$@"' sh "$@"`;
  const lost = await startedBy(stage, SETTINGS, { command });
  const other = await stage.start(SETTINGS);
  await lost.ready(2);
  await other.ready(2);
  stage.server.faults.post.delayMs = 50;
  await stage.ledger.produce(600);
  await waitFor(() => stage.server.ledger.delivered.size === 600, { what: 'both to deliver', deadlineMs: 20_000 });
  stage.expect(stage.server.ledger.duplicates === 0, 'they stole from each other');
  stage.expect(lost.logged().includes('delivered'), 'the other host has delivered nothing');
  stage.server.faults.post.delayMs = 1_000;
  await stage.ledger.produce(40);
  await waitFor(() => stage.openPosts().length === 4 * CONCURRENCY, { what: 'all slots in a POST' });
  const known = (await stage.client.call('ZRANGE', stage.keys.consumers, '0', '-1')) as string[];
  const consumers = known.filter((name) => name.includes('@elsewhere/'));
  const lostAt = performance.now();
  await lost.program.destroy();
  stage.server.faults.post.delayMs = 10;
  const held = async () => {
    const lengths = await Promise.all(consumers.map((name) => stage.client.llen(stage.keys.processing(name))));
    return lengths.reduce((sum, length) => sum + length, 0);
  };
  stage.expect((await held()) > 0, 'it held nothing');
  await waitFor(async () => (await held()) === 0, { what: 'its messages to be taken over', deadlineMs: 25_000 });
  return { recoveryMs: performance.now() - lostAt };
}

async function sentinelFailover(stage: Stage): Promise<Findings> {
  const master = String(stage.redis.port);
  const replicas = await Promise.all([0, 1].map(() => startRedis({ args: ['--replicaof', '127.0.0.1', master] })));
  for (const replica of replicas) stage.onClose(() => replica.stop());
  const clients = replicas.map(({ port }) => plainClient(port));
  for (const client of clients) stage.onClose(async () => client.disconnect());
  const sentinels = await startSentinels(stage, stage.redis.port);
  const fleet = await stage.start({
    ...SETTINGS,
    REDIS_SENTINELS: sentinels.map((port) => `127.0.0.1:${port}`).join(','),
    REDIS_SENTINEL_NAME: 'main',
  });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(3_000);
  await waitFor(() => stage.server.ledger.posts > 200, { what: 'load' });
  await stage.redis.kill();
  const killedAt = performance.now();
  const promoted = async () => {
    for (const client of clients) if (String((await client.role())[0]) === 'master') return client;
    return undefined;
  };
  const client = await waitFor(promoted, { what: 'a promotion', deadlineMs: 30_000 });
  const promotedAt = performance.now();
  stage.lookAt(plainClient(client.options.port ?? 0));
  const recoveryMs = (await stage.firstPostAfter(promotedAt, 20_000)) - promotedAt;
  return { recoveryMs, note: `promoted after ${((promotedAt - killedAt) / 1_000).toFixed(1)} s` };
}

async function clusterChanges(stage: Stage): Promise<Findings> {
  const otherwise = 'Install redis-cli (Debian package redis-tools).';
  const cli = await findProgram({
    names: ['redis-cli', 'valkey-cli'],
    debianPackage: 'redis-tools',
    otherwise: { linux: otherwise, darwin: otherwise, win32: otherwise },
  });
  const nodes = await startCluster(stage, (args) => execFileSync(cli.path, args, { encoding: 'utf8' }));
  const seeds = nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  // the two commands that the ledger uses are the same with a cluster
  stage.lookAt(new Cluster(seeds, { redisOptions: { protocol: 2 } }) as unknown as Redis);
  const fleet = await stage.start({
    ...SETTINGS,
    REDIS_CLUSTER_NODES: seeds.map(({ host, port }) => `${host}:${port}`).join(','),
  });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(4_000);
  await waitFor(() => stage.server.ledger.posts > 200, { what: 'load' });
  const replica = nodes.find(({ role }) => role === 'replica');
  await replica?.client.call('CLUSTER', 'FAILOVER');
  await waitFor(async () => String((await replica?.client.role())?.[0]) === 'master', {
    what: 'the promotion',
    deadlineMs: 20_000,
  });
  let changedAt = performance.now();
  let slowest = (await stage.firstPostAfter(changedAt, 20_000)) - changedAt;
  await moveSlot(nodes, stage.keys.queue);
  changedAt = performance.now();
  slowest = Math.max(slowest, (await stage.firstPostAfter(changedAt, 20_000)) - changedAt);
  return { recoveryMs: slowest };
}
