/**
 * Redis over TLS with certificates that name hosts only, so that an address in place of a name is refused: nodes that
 * announce themselves as localhost at a wire's port, and the Sentinels that watch them. A node's plain port is for the
 * test's own eyes.
 */
import { Redis } from 'ioredis';
import { PortTakenError } from '../../../scripts/local/redis-launch.js';
import { startRedis, type RedisProcess } from '../../../scripts/local/redis-process.js';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { freePort } from '../free-port.js';
import { waitFor } from '../wait-for.js';
import { plainClient } from './redis.js';
import { startSentinel } from './sentinel.js';
import { startWire, type Wire } from './wire.js';

/** Undone after the test, the newest first. */
type CleanUp = (undo: () => Promise<unknown>) => void;

export interface TlsNode {
  readonly redis: RedisProcess;
  readonly tlsPort: number;
  /** Where clients and other nodes are told to go. */
  readonly wire: Wire;
}

export const NAME = 'localhost';
const SLOTS = 16_384;
/** The bus of a cluster listens so far above. */
const BUS_OFFSET = 10_000;
const PORT_TRIES = 5;

function tlsArgs(files: CertificateFiles): string[] {
  const server = ['--tls-cert-file', files.serverCert, '--tls-key-file', files.serverKey];
  // the nodes of a cluster want each other's
  const client = ['--tls-client-cert-file', files.workerCert, '--tls-client-key-file', files.workerKey];
  return [
    ...server,
    ...client,
    '--tls-ca-cert-file',
    files.caCert,
    '--tls-auth-clients',
    'no',
    '--tls-replication',
    'yes',
  ];
}

export async function startTlsNode(
  files: CertificateFiles,
  undo: CleanUp,
  args: readonly string[] = [],
): Promise<TlsNode> {
  const wire = await startWire();
  undo(() => wire.close());
  const announced = ['--replica-announce-ip', NAME, '--replica-announce-port', `${wire.port}`];
  const node = await onFreePorts([...tlsArgs(files), ...announced, ...args]);
  wire.leadTo(node.tlsPort);
  undo(() => node.redis.stop());
  return { ...node, wire };
}

/** Another process may take one of them first; nobody knows beforehand whether that of a cluster's bus is free. */
async function onFreePorts(args: readonly string[]): Promise<Omit<TlsNode, 'wire'>> {
  for (let tries = 1; ; tries += 1) {
    const [port, tlsPort] = [await freePort(), await freePort()];
    try {
      return { redis: await startRedis({ port, args: [...args, '--tls-port', `${tlsPort}`] }), tlsPort };
    } catch (error) {
      if (!(error instanceof PortTakenError) || tries === PORT_TRIES) throw error;
    }
  }
}

/** A cluster of one node, which announces its name, or, unless `byName`, its address. */
export async function startTlsCluster(files: CertificateFiles, undo: CleanUp, byName: boolean): Promise<TlsNode> {
  const node = await startTlsClusterNode(files, undo, byName);
  const admin = adminOf(node, undo);
  await admin.cluster('ADDSLOTSRANGE', 0, SLOTS - 1);
  await waitFor(async () => (await admin.cluster('INFO')).includes('cluster_state:ok'), { what: 'the cluster' });
  return node;
}

/** Three masters and, as the last, a replica of each of them that is asked for. */
export async function startTlsClusterOfThree(files: CertificateFiles, undo: CleanUp): Promise<readonly TlsNode[]> {
  const nodes: TlsNode[] = [];
  for (let number = 0; number < 6; number++) nodes.push(await startTlsClusterNode(files, undo, true));
  const admins = nodes.map((node) => adminOf(node, undo));
  const [first] = admins;
  if (!first) throw new Error('six nodes were started');
  for (const { tlsPort } of nodes.slice(1)) {
    await first.call('CLUSTER', 'MEET', '127.0.0.1', String(tlsPort), String(tlsPort + BUS_OFFSET));
  }
  const known = async () =>
    (await Promise.all(admins.map((admin) => admin.cluster('INFO')))).every((info) =>
      info.includes(`cluster_known_nodes:${nodes.length}`),
    );
  await waitFor(known, { what: 'the nodes to know each other' });
  const share = Math.ceil(SLOTS / 3);
  for (const [index, admin] of admins.slice(0, 3).entries()) {
    await admin.cluster('ADDSLOTSRANGE', index * share, Math.min((index + 1) * share, SLOTS) - 1);
    const id = String(await admin.call('CLUSTER', 'MYID'));
    await admins[index + 3]?.call('CLUSTER', 'REPLICATE', id);
  }
  const isWhole = async () => {
    const infos = await Promise.all(admins.map((admin) => admin.cluster('INFO')));
    const copies = await Promise.all(admins.slice(3).map((admin) => admin.info('replication')));
    return (
      infos.every((info) => info.includes('cluster_state:ok')) &&
      copies.every((info) => info.includes('master_link_status:up'))
    );
  };
  await waitFor(isWhole, { what: 'the cluster' });
  return nodes;
}

async function startTlsClusterNode(files: CertificateFiles, undo: CleanUp, byName: boolean): Promise<TlsNode> {
  const cluster = ['--cluster-enabled', 'yes', '--tls-cluster', 'yes', '--cluster-node-timeout', '2000'];
  const endpoint = ['--cluster-preferred-endpoint-type', byName ? 'hostname' : 'ip'];
  const announced = ['--cluster-announce-hostname', NAME, '--cluster-announce-ip', '127.0.0.1'];
  const node = await startTlsNode(files, undo, [...cluster, ...endpoint, ...announced]);
  const admin = adminOf(node, undo);
  await admin.config('SET', 'cluster-announce-tls-port', String(node.wire.port));
  await admin.config('SET', 'cluster-announce-bus-port', String(node.tlsPort + BUS_OFFSET));
  return node;
}

/** Over its plain port. */
export function adminOf({ redis }: TlsNode, undo: CleanUp): Redis {
  const admin = plainClient(redis.port);
  undo(async () => admin.disconnect());
  return admin;
}

interface TlsSentinels {
  readonly wires: readonly Wire[];
  readonly password: string;
}

/** So many Sentinels that speak TLS only and watch `main`; they want a password. */
export async function startTlsSentinels(
  files: CertificateFiles,
  main: TlsNode,
  { count, replicas, folder, undo }: { count: number; replicas: number; folder: string; undo: CleanUp },
): Promise<TlsSentinels> {
  const password = 'sentinel-secret';
  const wires: Wire[] = [];
  const ports: number[] = [];
  const quorum = Math.floor(count / 2) + 1;
  for (let number = 1; number <= count; number++) {
    const wire = await startWire();
    undo(() => wire.close());
    const port = await startSentinel({
      folder,
      watched: `${NAME} ${main.wire.port} ${quorum}`,
      settings: (own) => sentinelSettings(files, own, password),
      undo,
    });
    wire.leadTo(port);
    wires.push(wire);
    ports.push(port);
  }
  for (const port of ports) await untilComplete(port, password, `slaves=${replicas},sentinels=${count}`, undo);
  return { wires, password };
}

function sentinelSettings(files: CertificateFiles, port: number, password: string): readonly string[] {
  const tls = tlsArgs(files);
  return [
    'port 0',
    `tls-port ${port}`,
    ...tls.flatMap((word, at) => (at % 2 === 0 ? [`${word.slice(2)} ${tls[at + 1] ?? ''}`] : [])),
    `requirepass ${password}`,
    'sentinel resolve-hostnames yes',
    'sentinel announce-hostnames yes',
  ];
}

/** It knows the others and the replicas. */
async function untilComplete(port: number, password: string, expected: string, undo: CleanUp): Promise<void> {
  // for the test's own eyes: who it is does not matter here
  const tls = { rejectUnauthorized: false };
  const client = new Redis({ port, host: '127.0.0.1', protocol: 2, password, tls, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  undo(async () => client.disconnect());
  const isComplete = async () => (await client.info('sentinel')).includes(expected);
  await waitFor(isComplete, { what: `a Sentinel to know ${expected}` });
}
