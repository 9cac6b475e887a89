/** Rows 39, 40 and 56: Redis starts again or is taken over among other people's clients, speaks TLS only, or moves. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { startRedis } from '../../../../scripts/local/redis-process.js';
import { freePort } from '../../../support/free-port.js';
import { makeCertificates } from '../../../support/main-server/pki.js';
import { clientsOfOthers } from '../../../support/redis/foreigners.js';
import { plainClient } from '../../../support/redis/redis.js';
import {
  adminOf,
  NAME,
  startTlsClusterOfThree,
  startTlsNode,
  startTlsSentinels,
  type TlsNode,
} from '../../../support/redis/tls-redis.js';
import { startWire, type Wire } from '../../../support/redis/wire.js';
import { startTcpProxy } from '../../../support/tcp-proxy.js';
import { waitFor } from '../../../support/wait-for.js';
import { clientOf, inStep, killMaster } from '../../support/redis/failover.js';
import type { Findings, Row } from '../../support/row.js';
import type { Stage } from '../../support/stage.js';
import { startedBy } from '../../support/started-by.js';
import { consumesAgain, SETTINGS } from './under-load.js';

const FOREIGNERS = 200;
const USER = ['ACL', 'SETUSER', 'mbw', 'on', '>redis-secret', '~*', '+@all'] as const;

export const REDIS_ELSEWHERE_ROWS: readonly Row[] = [
  {
    id: '39a',
    fault: 'Redis killed and started again, and 200 clients of others get the numbers that ours had',
    bound: 'none of theirs is ended, 0 dup',
    redis: { appendonly: true, args: ['--appendfsync', 'always'] },
    run: restartAmongOthers,
  },
  {
    id: '39b',
    fault: "the master killed and its address given to its replica, where 200 clients of others have ours' numbers",
    bound: 'none of theirs is ended; dup ≤ acks not replicated (400)',
    limits: { duplicates: 400 },
    run: failoverAmongOthers,
  },
  {
    id: '40a',
    fault: 'Sentinels and Redis over TLS only, certificates that name hosts only, an ACL user; kill -9 of the master',
    bound: 'as 20a: every worker consumes < 3 s after the promotion; nothing in plain text on the wire',
    limits: { recoveryMs: 3_000, duplicates: 400 },
    run: tlsFailover,
  },
  {
    id: '40b',
    fault: 'Redis Cluster over TLS only, certificates that name hosts only, an ACL user; failover of our master',
    bound: 'as 20b: every worker consumes < 3 s after it, 0 lost, 0 dup; nothing in plain text on the wire',
    limits: { recoveryMs: 3_000 },
    run: tlsClusterFailover,
  },
  {
    id: '56a',
    fault: "Redis's host falls silent and its name moves in DNS at once, then again 7 s after it fell silent",
    bound: 'every worker consumes ≤ 3 s after each move, 0 dup',
    limits: { recoveryMs: 3_000 },
    alone: true,
    run: nameMoves,
  },
];

function undoneBy(stage: Stage): (close: () => Promise<unknown>) => void {
  return (close) => stage.onClose(close);
}

function expectOpen(stage: Stage, sockets: readonly Socket[]): void {
  const ended = sockets.filter(({ closed, readableEnded }) => closed || readableEnded).length;
  stage.expect(ended === 0, `${ended} connections of others were ended`);
}

async function restartAmongOthers(stage: Stage): Promise<Findings> {
  const undo = undoneBy(stage);
  const proxy = await stage.proxy(stage.redis.port);
  const fleet = await stage.start({ ...SETTINGS, REDIS_PORT: proxy.port });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(2_000);
  await waitFor(() => stage.server.ledger.posts > 100, { what: 'load' });
  await proxy.setMode('refuse');
  await stage.redis.kill();
  await stage.redis.restart();
  const others = await clientsOfOthers(stage.redis.port, FOREIGNERS, undo);
  await proxy.setMode('pass');
  const findings = await consumesAgain(stage);
  const delivered = () => stage.server.ledger.delivered.size === stage.ledger.produced.length;
  await waitFor(delivered, { what: 'all deliveries', deadlineMs: 40_000 });
  expectOpen(stage, others);
  return findings;
}

/** Not by Sentinels, which end all clients of the server that they promote. */
async function failoverAmongOthers(stage: Stage): Promise<Findings> {
  const undo = undoneBy(stage);
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(stage.redis.port)] });
  stage.onClose(() => replica.stop());
  const client = clientOf(stage, replica.port);
  await inStep(stage, [client]);
  const address = await startWire();
  stage.onClose(() => address.close());
  address.leadTo(stage.redis.port);
  // these take the first numbers of the master, so that the replica has ours still to give
  for (const socket of await clientsOfOthers(stage.redis.port, FOREIGNERS / 2, undo)) socket.destroy();
  const fleet = await stage.start({ ...SETTINGS, REDIS_PORT: address.port });
  await fleet.ready(2);
  const ours = numbersOf(await stage.client.client('LIST'), 'message-broker-worker:');
  let others: readonly Socket[] = [];
  const { lost } = await killMaster(stage, [client], async () => {
    await stage.redis.kill();
    await client.replicaof('NO', 'ONE');
    others = await clientsOfOthers(replica.port, FOREIGNERS, undo);
    const theirs = numbersOf(await client.client('LIST'), 'producer');
    stage.expect(
      ours.some((number) => theirs.includes(number)),
      'the others have none of our numbers',
    );
    address.leadTo(replica.port);
  });
  await consumesAgain(stage);
  const delivered = () => stage.server.ledger.delivered.size >= stage.ledger.produced.length - lost.length;
  await waitFor(delivered, { what: 'all deliveries', deadlineMs: 60_000 });
  expectOpen(stage, others);
  return { lostByRedis: new Set(lost) };
}

function numbersOf(list: unknown, name: string): string[] {
  const lines = String(list).split('\n');
  return lines.filter((line) => line.includes(` name=${name}`)).map((line) => /^id=(\d+)/.exec(line)?.[1] ?? '');
}

function expectNothingPlain(stage: Stage, wires: readonly Wire[]): void {
  const plain = wires.flatMap((wire) => wire.plain);
  stage.expect(plain.length === 0, `${plain.length} connections in plain text: ${plain[0]?.slice(0, 60)}`);
  stage.expect(
    wires.some(({ spoken }) => spoken > 0),
    'nothing was said on any wire',
  );
}

async function tlsFailover(stage: Stage): Promise<Findings> {
  const undo = undoneBy(stage);
  const files = await makeCertificates({ directory: join(stage.folder, 'redis-pki'), hosts: [NAME] });
  const master = await startTlsNode(files, undo);
  const follow = ['--replicaof', NAME, String(master.wire.port)];
  const replicas = [await startTlsNode(files, undo, follow), await startTlsNode(files, undo, follow)];
  const nodes = [master, ...replicas];
  for (const node of nodes) await adminOf(node, undo).call(...USER);
  stage.lookAt(plainClient(master.redis.port));
  const clients = replicas.map(({ redis }) => clientOf(stage, redis.port));
  await inStep(stage, clients);
  const sentinels = await startTlsSentinels(files, master, { count: 3, replicas: 2, folder: stage.folder, undo });
  const fleet = await stage.start({
    ...SETTINGS,
    ...tlsSettings(files.caCert),
    REDIS_SENTINELS: sentinels.wires.map(({ port }) => `${NAME}:${port}`).join(','),
    REDIS_SENTINEL_NAME: 'main',
    REDIS_SENTINEL_PASSWORD: sentinels.password,
  });
  await fleet.ready(2);
  const { promotedAt, lost } = await killMaster(stage, clients, () => master.redis.kill());
  const recoveryMs = (await stage.everyWorkerPosts(promotedAt, SETTINGS.WORKER_COUNT, 20_000)) - promotedAt;
  expectNothingPlain(stage, [...sentinels.wires, ...nodes.map(({ wire }) => wire)]);
  return { recoveryMs, lostByRedis: new Set(lost) };
}

function tlsSettings(caFile: string) {
  return { REDIS_TLS: 'true', REDIS_TLS_CA_PATH: caFile, REDIS_USERNAME: 'mbw', REDIS_PASSWORD: 'redis-secret' };
}

async function tlsClusterFailover(stage: Stage): Promise<Findings> {
  const undo = undoneBy(stage);
  const files = await makeCertificates({ directory: join(stage.folder, 'redis-pki'), hosts: [NAME] });
  const nodes = await startTlsClusterOfThree(files, undo);
  const admins = nodes.map((node) => adminOf(node, undo));
  for (const admin of admins) await admin.call(...USER);
  const owner = await ownerOf(admins.slice(0, 3), stage.keys.queue);
  stage.lookAt(plainClient(nodes[owner]?.redis.port ?? 0));
  const fleet = await stage.start({
    ...SETTINGS,
    ...tlsSettings(files.caCert),
    REDIS_CLUSTER_NODES: nodes.map(({ wire }: TlsNode) => `${NAME}:${wire.port}`).join(','),
  });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(2_000);
  await waitFor(() => stage.server.ledger.posts > 200, { what: 'load' });
  const replica = admins[owner + 3];
  if (!replica) throw new Error('the owner has a replica');
  await replica.call('CLUSTER', 'FAILOVER');
  await waitFor(async () => String((await replica.role())[0]) === 'master', { what: 'it', deadlineMs: 20_000 });
  stage.lookAt(plainClient(replica.options.port ?? 0));
  const findings = await consumesAgain(stage);
  expectNothingPlain(
    stage,
    nodes.map(({ wire }) => wire),
  );
  return findings;
}

async function ownerOf(masters: readonly Redis[], key: string): Promise<number> {
  for (const [index, client] of masters.entries()) {
    const isRefused = await client.exists(key).then(
      () => false,
      () => true,
    );
    if (!isRefused) return index;
  }
  throw new Error(`nobody has ${key}`);
}

/** Two hosts, one behind the other; what the resolver of the program's own /etc/hosts says decides which is Redis's. */
async function nameMoves(stage: Stage): Promise<Findings> {
  const port = await freePort();
  const hosts = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];
  const proxies = [];
  for (const host of hosts) {
    const proxy = await startTcpProxy(stage.redis.port, { at: { host, port } });
    stage.onClose(() => proxy.close());
    proxies.push(proxy);
  }
  const file = join(stage.folder, 'hosts');
  const others = readFileSync('/etc/hosts', 'utf8');
  // written in place: the program sees this very file
  const name = (host: string | undefined) => writeFileSync(file, `${others}\n${host} redis.example\n`);
  name(hosts[0]);
  const command = `
for how in '--mount' '--user --map-root-user --mount'; do
  if unshare $how true 2>/dev/null; then
    exec unshare $how sh -c 'mount --bind ${file} /etc/hosts && exec "$@"' sh "$@"
  fi
done
exit 1`;
  const fleet = await startedBy(stage, { ...SETTINGS, REDIS_HOST: 'redis.example', REDIS_PORT: port }, { command });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(200);
  await waitFor(() => stage.server.ledger.posts > 100, { what: 'load' });
  let slowest = 0;
  for (const [index, silentMs] of [0, 7_000].entries()) {
    await stage.ledger.produce(400);
    await proxies[index]?.setMode('blackhole');
    await sleep(silentMs);
    name(hosts[index + 1]);
    slowest = Math.max(slowest, (await consumesAgain(stage)).recoveryMs ?? Infinity);
  }
  return { recoveryMs: slowest };
}
