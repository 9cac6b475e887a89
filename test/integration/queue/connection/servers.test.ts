import { Redis } from 'ioredis';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../../../support/free-port.js';
import { startRedis } from '../../../../scripts/local/redis-process.js';
import {
  claim,
  message,
  openQueue,
  places,
  QUEUE,
  queueOf,
  settle,
  type QueueOptions,
} from '../../../support/redis/queue.js';
import { useCertificates } from '../../../support/main-server/certificates.js';
import { plainClient } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';

/** Old servers, passwords, users, TLS and databases: the same protocol everywhere. */
const certificates = useCertificates();
const cleanUp: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

async function serverWith(args: readonly string[], port?: number) {
  const server = await startRedis({ args, ...(port ? { port } : {}) });
  cleanUp.push(() => server.stop());
  return server;
}

async function clientOf(client: Redis): Promise<Redis> {
  client.on('error', () => undefined);
  cleanUp.push(() => client.disconnect());
  await waitFor(async () => (await client.ping()) === 'PONG', { what: 'Redis to answer' });
  return client;
}

/** Claims by both ways, settles in all four, recovers and promotes. */
async function wholeProtocol(port: number, producer: Redis, options: QueueOptions = {}): Promise<void> {
  const queue = await openQueue(port, 'worker-1', options);
  cleanUp.push(() => queue.stop());
  const waiting = queue.claimBlocking();
  await producer.lpush(QUEUE, message('1'));
  const first = await waiting;
  expect(first?.raw.toString()).toBe(message('1'));
  await producer.lpush(QUEUE, message('2'), message('3'), message('4'));
  const [second, third, fourth] = await claim(queue, 10);
  const { lost, refused } = await settle(
    queue,
    { kind: 'ack', claim: first! },
    { kind: 'retry', claim: second!, message: second!.raw, messageId: '2', delayMs: 0 },
    { kind: 'bury', claim: third!, envelope: 'three' },
  );
  expect({ lost, refused }).toEqual({ lost: [], refused: [] });
  expect(await queue.background.promoteDue(10)).toMatchObject({ moved: 1, messageIds: ['2'] });
  await queue.background.recover(queue.consumer, { evenIfLeased: true });
  expect(await places(producer)).toEqual({
    waiting: [message('2'), fourth!.raw.toString()],
    processing: [],
    retry: [],
    dead: ['three'],
  });
}

describe('the command set of Redis 5.0', () => {
  test('works without BLMOVE, LMOVE, LMPOP and counted pops', async () => {
    const hidden = ['BLMOVE', 'LMOVE', 'LMPOP', 'BLMPOP', 'ZMPOP', 'GETEX', 'LPOS', 'SMISMEMBER', 'COPY'];
    const server = await serverWith(hidden.flatMap((command) => ['--rename-command', command, '']));
    const client = await clientOf(plainClient(server.port));
    await expect(client.call('BLMOVE', 'a', 'b', 'LEFT', 'RIGHT', '1')).rejects.toThrow('unknown command');
    await wholeProtocol(server.port, client);
  });
});

describe('access', () => {
  test('a password', async () => {
    const server = await serverWith(['--requirepass', 'secret word']);
    const client = await clientOf(
      new Redis({ port: server.port, password: 'secret word', maxRetriesPerRequest: null }),
    );
    await wholeProtocol(server.port, client, { redis: { password: 'secret word' } });
  });

  test('a wrong password is named, without being shown', async () => {
    const server = await serverWith(['--requirepass', 'right']);
    const queue = queueOf(server.port, 'worker-1', { redis: { password: 'wrong-and-secret' } });
    cleanUp.push(() => queue.stop());
    queue.start();
    await waitFor(() => queue.problem().includes('REDIS_PASSWORD'), { what: 'the refusal to be named' });
    expect(queue.problem()).not.toContain('wrong-and-secret');
  });

  test('an ACL user with just the commands that ecosystem.md lists', async () => {
    const server = await serverWith([]);
    const admin = await clientOf(plainClient(server.port));
    await admin.call('ACL', 'SETUSER', 'mbw', 'on', '>pw', `~${QUEUE}`, `~{${QUEUE}}:*`, ...aclCommands());
    await wholeProtocol(server.port, admin, { redis: { username: 'mbw', password: 'pw' } });
  });

  test('another database', async () => {
    const server = await serverWith([]);
    const client = await clientOf(new Redis({ port: server.port, db: 7, maxRetriesPerRequest: null }));
    await wholeProtocol(server.port, client, { redis: { db: 7 } });
  });

  test('TLS with a CA of our own', async () => {
    const { caCert, serverCert, serverKey } = certificates.files;
    const [port, unused] = [await freePort(), await freePort()];
    const server = await serverWith(
      [
        '--tls-port',
        `${port}`,
        '--tls-cert-file',
        serverCert,
        '--tls-key-file',
        serverKey,
        '--tls-ca-cert-file',
        caCert,
        '--tls-auth-clients',
        'no',
      ],
      unused,
    );
    const client = await clientOf(plainClient(server.port));
    await wholeProtocol(port, client, { redis: { tls: true, tlsCaFile: caCert } });
  });
});

/** The line that operators copy. */
function aclCommands(): string[] {
  const book = readFileSync(new URL('../../../../ecosystem.md', import.meta.url), 'utf8');
  const line = /^ACL SETUSER \S+ .*$/m.exec(book)?.[0] ?? '';
  return line.split(' ').filter((word) => word.startsWith('+'));
}
