/** Rows 13, 20a and 20b: several hosts, several Redis servers. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Cluster, type Redis } from 'ioredis';
import { startRedis } from '../../../scripts/local/redis-process.js';
import { findProgram } from '../../../scripts/local/find-program.js';
import { idOf } from '../../support/ledger.js';
import { waitFor } from '../../support/wait-for.js';
import { REDIS_CLI } from '../support/programs.js';
import { clientOf, inStep, killMaster } from '../support/redis/failover.js';
import { moveSlot, startCluster } from '../support/redis/redis-cluster.js';
import { startSentinels } from '../support/redis/redis-sentinels.js';
import type { Findings, Row } from '../support/row.js';
import type { Stage } from '../support/stage.js';
import { startedBy } from '../support/started-by.js';

const CONCURRENCY = 4;
const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY };

export const SEVERAL_ROWS: readonly Row[] = [
  {
    id: '13',
    fault: 'two hosts with the same worker ids on one queue; power loss of one, its sockets stay open',
    bound: 'no stealing before, its messages tried again elsewhere ≤ 15 s, dup ≤ N·C (8)',
    limits: { recoveryMs: 15_000, duplicates: 2 * CONCURRENCY },
    run: loseHost,
  },
  {
    id: '20a',
    fault: 'Sentinel: kill -9 of the master under load (2 replicas, 3 sentinels)',
    bound:
      'every worker consumes < 3 s after the promotion; lost = what the replica never had, reported; dup ≤ acks not replicated (400)',
    limits: { recoveryMs: 3_000, duplicates: 400 },
    run: sentinelFailover,
  },
  {
    id: '20b',
    fault: 'Redis Cluster: failover of the master of our slot, then the slot moves, under load',
    bound: 'every worker consumes < 3 s after each, 0 lost, 0 dup',
    limits: { recoveryMs: 3_000 },
    needs: [REDIS_CLI],
    run: clusterChanges,
  },
];

/** Starts the program under another host name; where no namespace is allowed, only Node is told so. */
function elsewhere(stage: Stage): string {
  const preload = join(stage.folder, 'elsewhere.mjs');
  writeFileSync(
    preload,
    `import os from 'node:os';
import { syncBuiltinESMExports } from 'node:module';
os.hostname = () => 'elsewhere';
syncBuiltinESMExports();
`,
  );
  return `
for how in '--uts' '--user --map-root-user --uts'; do
  if unshare $how hostname elsewhere 2>/dev/null; then
    exec unshare $how sh -c 'hostname elsewhere && exec "$@"' sh "$@"
  fi
done
NODE_OPTIONS=--import=${pathToFileURL(preload).href} exec "$@"`;
}

async function loseHost(stage: Stage): Promise<Findings> {
  const redis = await stage.proxy(stage.redis.port);
  const server = await stage.proxy(stage.server.port);
  const wires = { REDIS_PORT: redis.port, MAIN_SERVER_URL: `https://localhost:${server.port}` };
  const lost = await startedBy(stage, { ...SETTINGS, ...wires }, { command: elsewhere(stage) });
  const other = await stage.start(SETTINGS);
  await lost.ready(2);
  await other.ready(2);
  stage.server.faults.post.delayMs = 50;
  await stage.ledger.produce(600);
  await waitFor(() => stage.server.ledger.delivered.size === 600, { what: 'both to deliver', deadlineMs: 20_000 });
  stage.expect(stage.server.ledger.duplicates === 0, 'they stole from each other');
  stage.expect(lost.logged().includes('delivered'), 'the other host has delivered nothing');
  stage.server.faults.post.delayMs = 1_000;
  // one for each waiting pop; then all wait again with their other slots
  await stage.ledger.produce(4);
  await waitFor(() => stage.openPosts().length === 4, { what: 'a POST of each worker' });
  const lostAt = performance.now();
  redis.silenceConnections();
  server.silenceConnections();
  await lost.program.destroy();
  stage.server.faults.post.delayMs = 10;
  // Redis does not know yet: the pops of the dead take two of these
  await stage.ledger.produce(20);
  const held = await claimsOfElsewhere(stage);
  stage.expect(held.length > 0, 'it held nothing');
  const again = await stage.postedAgain(held, lostAt, 25_000);
  return { recoveryMs: again - lostAt, note: `${held.length} held by the dead host` };
}

async function claimsOfElsewhere(stage: Stage): Promise<string[]> {
  const { client, keys } = stage;
  const known = (await client.call('ZRANGE', keys.consumers, '0', '-1')) as string[];
  const consumers = known.filter((name) => name.includes('@elsewhere/'));
  const lists = await Promise.all(consumers.map((name) => client.lrangeBuffer(keys.processing(name), 0, -1)));
  return lists.flat().map(idOf);
}

async function sentinelFailover(stage: Stage): Promise<Findings> {
  const master = String(stage.redis.port);
  const replicas = await Promise.all([0, 1].map(() => startRedis({ args: ['--replicaof', '127.0.0.1', master] })));
  for (const replica of replicas) stage.onClose(() => replica.stop());
  const clients = replicas.map(({ port }) => clientOf(stage, port));
  await inStep(stage, clients);
  const sentinels = await startSentinels(stage, stage.redis.port);
  const fleet = await stage.start({
    ...SETTINGS,
    REDIS_SENTINELS: sentinels.map((port) => `127.0.0.1:${port}`).join(','),
    REDIS_SENTINEL_NAME: 'main',
  });
  await fleet.ready(2);
  const { killedAt, promotedAt, lost } = await killMaster(stage, clients, () => stage.redis.kill());
  const recoveryMs = (await stage.everyWorkerPosts(promotedAt, SETTINGS.WORKER_COUNT, 20_000)) - promotedAt;
  const seconds = ((promotedAt - killedAt) / 1_000).toFixed(1);
  return {
    recoveryMs,
    lostByRedis: new Set(lost),
    note: `promoted after ${seconds} s, Redis lost ${lost.length}`,
  };
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
  let slowest = (await stage.everyWorkerPosts(changedAt, SETTINGS.WORKER_COUNT, 20_000)) - changedAt;
  // until each node has heard of it: a slot is moved between masters
  const isKnown = async () => {
    const views = await Promise.all(nodes.map(({ client }) => client.cluster('NODES')));
    return views.every((view) => new RegExp(`^${replica?.id} \\S+ \\S*master`, 'm').test(String(view)));
  };
  await waitFor(isKnown, { what: 'all nodes to know the new master', deadlineMs: 20_000 });
  await moveSlot(nodes, stage.keys.queue);
  changedAt = performance.now();
  slowest = Math.max(slowest, (await stage.everyWorkerPosts(changedAt, SETTINGS.WORKER_COUNT, 20_000)) - changedAt);
  return { recoveryMs: slowest };
}
