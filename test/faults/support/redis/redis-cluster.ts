import type { Redis } from 'ioredis';
import { startRedis } from '../../../../scripts/local/redis-process.js';
import { plainClient } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Stage } from '../stage.js';

interface ClusterNode {
  readonly port: number;
  readonly client: Redis;
  readonly id: string;
  readonly role: 'master' | 'replica';
}

/** Three masters made by redis-cli, and a replica of the one that has the queue's slot. */
export async function startCluster(stage: Stage, cli: (args: string[]) => string): Promise<ClusterNode[]> {
  const nodes: { port: number; client: Redis; id: string }[] = [];
  for (let number = 1; number <= 4; number++) nodes.push(await startNode(stage));
  const [first, second, third, replica] = nodes;
  if (!first || !second || !third || !replica) throw new Error('four nodes were started');
  const masters = [first, second, third];
  const at = ({ port }: { port: number }) => `127.0.0.1:${port}`;
  cli(['--cluster', 'create', ...masters.map(at), '--cluster-yes']);
  for (const { client } of masters) {
    const isWhole = async () => (await client.cluster('INFO')).includes('cluster_state:ok');
    await waitFor(isWhole, { what: 'the cluster', deadlineMs: 20_000 });
  }
  const owner = await ownerOf(masters, stage.keys.queue);
  cli(['--cluster', 'add-node', at(replica), at(first), '--cluster-slave', '--cluster-master-id', owner.id]);
  const isInStep = async () => (await replica.client.info('replication')).includes('master_link_status:up');
  await waitFor(isInStep, { what: 'the replica', deadlineMs: 20_000 });
  return [...masters.map((node) => ({ ...node, role: 'master' as const })), { ...replica, role: 'replica' as const }];
}

async function startNode(stage: Stage) {
  // a port of its own choice: where that of the bus, 10,000 above it, is taken, it tries another
  const redis = await startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'] });
  stage.onClose(() => redis.stop());
  const { port } = redis;
  const client = plainClient(port);
  stage.onClose(async () => client.disconnect());
  return { port, client, id: String(await client.call('CLUSTER', 'MYID')) };
}

/** Moves the slot of `key` to another master, key by key, as a resharding does. */
export async function moveSlot(nodes: readonly ClusterNode[], key: string): Promise<void> {
  const owner = await ownerOf(nodes, key);
  const masters = await Promise.all(
    nodes.map(async (node) => ((await node.client.role())[0] === 'master' ? [node] : [])),
  );
  const target = masters.flat().find(({ id }) => id !== owner.id);
  if (!target) throw new Error('there is no other master');
  const slot = String(await owner.client.call('CLUSTER', 'KEYSLOT', key));
  await target.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', owner.id);
  await owner.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.id);
  for (;;) {
    const keys = (await owner.client.call('CLUSTER', 'GETKEYSINSLOT', slot, '10')) as string[];
    if (keys.length === 0) break;
    await owner.client.call('MIGRATE', '127.0.0.1', String(target.port), '', '0', '5000', 'KEYS', ...keys);
  }
  for (const { client } of [target, owner, ...masters.flat()]) {
    await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', target.id);
  }
}

async function ownerOf<T extends { readonly client: Redis; readonly id: string }>(
  nodes: readonly T[],
  key: string,
): Promise<T> {
  const [any] = nodes;
  if (!any) throw new Error('there are no nodes');
  const slot = Number(await any.client.call('CLUSTER', 'KEYSLOT', key));
  const ranges = (await any.client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
  const id = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2][2];
  const owner = nodes.find((node) => node.id === id);
  if (!owner) throw new Error(`no node has slot ${slot}`);
  return owner;
}
