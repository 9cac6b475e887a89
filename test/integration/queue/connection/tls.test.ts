/** Redis over TLS only, by Sentinels and as a cluster, with certificates that name hosts and no addresses. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RedisQueue } from '../../../../src/queue/claims/claims-and-settlements.js';
import type { Config } from '../../../../src/shared/config/config.js';
import { useCertificates } from '../../../support/main-server/certificates.js';
import { makeCertificates } from '../../../support/main-server/pki.js';
import { claim, message, QUEUE, queueOf } from '../../../support/redis/queue.js';
import { plainClient } from '../../../support/redis/redis.js';
import { NAME, startTlsCluster, startTlsNode, startTlsSentinels } from '../../../support/redis/tls-redis.js';
import { waitFor } from '../../../support/wait-for.js';

const certificates = useCertificates({ hosts: [NAME] });
const cleanUp: (() => Promise<unknown>)[] = [];
const undo = (action: () => Promise<unknown>) => void cleanUp.push(action);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-'));
  return () => rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});

function started(redis: Partial<Config['redis']>, problems: string[] = []): RedisQueue {
  const queue = queueOf(1, 'worker-1', {
    redis: { tls: true, tlsCaFile: certificates.files.caCert, ...redis },
    events: { onDisconnected: (problem) => problems.push(problem) },
  });
  undo(() => queue.stop());
  queue.start();
  return queue;
}

/** `port` takes plain connections. */
async function expectDelivery(queue: RedisQueue, port: number): Promise<void> {
  await waitFor(() => queue.isReady(), { what: 'the queue to be ready' }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${queue.problem()}`);
  });
  const producer = plainClient(port);
  undo(async () => producer.disconnect());
  await producer.lpush(QUEUE, message('1'));
  expect((await claim(queue, 1)).map(({ raw }) => raw.toString())).toEqual([message('1')]);
}

describe('Sentinels', () => {
  async function watched() {
    const node = await startTlsNode(certificates.files, undo);
    const sentinels = await startTlsSentinels(certificates.files, node, { count: 1, replicas: 0, folder, undo });
    const wire = sentinels.wires[0]!;
    const settings = {
      sentinels: [{ host: NAME, port: wire.port }],
      sentinelName: 'main',
      sentinelPassword: sentinels.password,
    };
    return { node, wire, settings };
  }

  test('that take TLS only are asked over TLS, and nothing is said in plain text', async () => {
    const { node, wire, settings } = await watched();
    const queue = started({ ...settings, sentinelTls: true });
    await expectDelivery(queue, node.redis.port);
    expect([...wire.plain, ...node.wire.plain]).toEqual([]);
    expect(Math.min(wire.spoken, node.wire.spoken)).toBeGreaterThan(1);
  });

  test('of an unknown authority are told nothing, and that is the reason given', async () => {
    const { wire, settings } = await watched();
    const other = await makeCertificates({ directory: join(folder, 'other') });
    const problems: string[] = [];
    const queue = started({ ...settings, sentinelTls: true, tlsCaFile: other.caCert }, problems);
    await waitFor(() => queue.problem().includes('certificate'), { what: 'the reason' });
    expect(queue.problem()).toMatch(/an authority that is not believed: .*\(see REDIS_TLS_CA_PATH\)/);
    expect(wire.plain.join('')).not.toContain(settings.sentinelPassword);
  });
});

describe('a cluster', () => {
  test('whose nodes announce the names in their certificates is connected to by these', async () => {
    const node = await startTlsCluster(certificates.files, undo, true);
    const queue = started({ clusterNodes: [{ host: NAME, port: node.wire.port }] });
    await expectDelivery(queue, node.redis.port);
    expect(node.wire.plain).toEqual([]);
  });

  test.each([
    [
      'announces addresses',
      true,
      /node 127\.0\.0\.1:\d+: .*altnames.* \(the nodes must announce the names in their certificates: cluster-announce-hostname/,
    ],
    [
      'is not believed',
      false,
      /node localhost:\d+: its certificate is of an authority that is not believed: .*REDIS_TLS_CA_PATH/,
    ],
  ])('that %s is not, and the node says why', async (_, believed, reason) => {
    const node = await startTlsCluster(certificates.files, undo, false);
    const other = await makeCertificates({ directory: join(folder, 'third') });
    const tlsCaFile = believed ? certificates.files.caCert : other.caCert;
    const problems: string[] = [];
    const queue = started({ clusterNodes: [{ host: NAME, port: node.wire.port }], tlsCaFile }, problems);
    await waitFor(() => reason.test(queue.problem()), { what: 'the reason' }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${queue.problem()}`);
    });
    expect(problems[0]).toMatch(reason);
    expect(queue.isReady()).toBe(false);
  });

  test('that is not there is refused with the reason of its node', async () => {
    const queue = started({ clusterNodes: [{ host: NAME, port: 1 }] });
    await waitFor(() => queue.problem().includes('node localhost:1: Connection refused'), { what: 'the reason' });
    expect(queue.problem()).toContain('REDIS_CLUSTER_NODES');
  });
});

test('NODE_TLS_REJECT_UNAUTHORIZED=0, set for something else, does not switch off the check of the certificate', async () => {
  const node = await startTlsNode(certificates.files, undo);
  const other = await makeCertificates({ directory: join(folder, 'fourth') });
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  undo(async () => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  const problems: string[] = [];
  const queue = started({ host: NAME, port: node.wire.port, tlsCaFile: other.caCert }, problems);
  await waitFor(() => problems.length > 0 || queue.isReady(), { what: 'an end of the handshake' });
  expect(queue.isReady()).toBe(false);
  expect(problems[0]).toContain('REDIS_TLS_CA_PATH');
});
