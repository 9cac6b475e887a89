/** What a connection takes for granted of the server at its other end, and what it leaves alone there. */
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { startRedis } from '../../../../scripts/local/redis-process.js';
import { claim, message, openQueue, QUEUE, queueOf } from '../../../support/redis/queue.js';
import { clientsOfOthers } from '../../../support/redis/foreigners.js';
import { startOldWordingProxy } from '../../../support/redis/old-wording.js';
import { useRedis } from '../../../support/redis/redis.js';
import { startTcpProxy } from '../../../support/tcp-proxy.js';
import { waitFor } from '../../../support/wait-for.js';

const redis = useRedis();
const cleanUp: (() => unknown)[] = [];
const MANY = 40;

afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

async function queueAt(port: number, events: Parameters<typeof openQueue>[2] = {}) {
  const queue = await openQueue(port, 'worker-1', events);
  cleanUp.push(() => queue.stop());
  return queue;
}

describe('clients of others', () => {
  test('none is ended when Redis has started again and its numbers begin anew', async () => {
    const proxy = await startTcpProxy(redis.port);
    cleanUp.push(() => proxy.close());
    const queue = await queueAt(proxy.port);
    const ours = await redis.client.client('LIST');
    const numbers = [...String(ours).matchAll(/^id=(\d+) .* name=message-broker-worker:/gm)].map(([, id]) =>
      Number(id),
    );
    expect(numbers.length).toBeGreaterThan(1);
    await proxy.setMode('refuse');
    await redis.process.restart();
    const others = await clientsOfOthers(redis.port, MANY, (close) => cleanUp.push(close));
    const theirs = String(await redis.client.client('LIST'));
    for (const number of numbers) expect(theirs).toMatch(new RegExp(`^id=${number} .* name=producer `, 'm'));
    await proxy.setMode('pass');
    await waitFor(() => queue.isReady(), { what: 'the queue to be ready again' });
    await queue.reconcile([]);
    await redis.client.ping();
    expect(others.filter(({ closed, readableEnded }) => closed || readableEnded)).toEqual([]);
    expect(String(await redis.client.client('LIST')).match(/ name=producer /g)).toHaveLength(MANY);
  });

  test('our own former connection is ended while the server is the same', async () => {
    const proxy = await startTcpProxy(redis.port);
    cleanUp.push(() => proxy.close());
    const queue = await queueAt(proxy.port);
    proxy.silenceConnections();
    await expect(claim(queue, 1)).rejects.toMatchObject({ outcomeUnknown: true });
    await waitFor(() => queue.isReady(), { what: 'new connections' });
    const own = async () =>
      [
        ...String(await redis.client.client('LIST')).matchAll(
          /name=message-broker-worker:worker-1:(?:control|blocking) /g,
        ),
      ].length;
    await queue.reconcile([]);
    await waitFor(async () => (await own()) === 2, { what: 'the former two to be gone' });
  });
});

test('an outage of one connection takes that of the lease with it', async () => {
  const queue = await queueAt(redis.port);
  const idOf = async (role: string) =>
    new RegExp(`^id=(\\d+) .* name=message-broker-worker:worker-1:${role} `, 'm').exec(
      String(await redis.client.client('LIST')),
    )?.[1];
  const [control, lease] = [await idOf('control'), await idOf('lease')];
  await redis.client.call('CLIENT', 'KILL', 'ID', control ?? '');
  await waitFor(() => !queue.isReady(), { what: 'the outage' });
  await waitFor(async () => ![undefined, lease].includes(await idOf('lease')), { what: 'another one for the lease' });
});

describe('INFO', () => {
  test.each(['renamed', 'forbidden'])('%s: works, and says that it knows nothing', async (how) => {
    const renamed = how === 'renamed' ? ['--rename-command', 'INFO', ''] : [];
    const server = await startRedis({ args: renamed });
    cleanUp.push(() => server.stop());
    const admin = plainAdmin(server.port);
    if (how === 'forbidden') await admin.call('ACL', 'SETUSER', 'mbw', 'on', '>pw', '~*', '+@all', '-info');
    const user = how === 'forbidden' ? { username: 'mbw', password: 'pw' } : {};
    const problems: string[] = [];
    const queue = await queueAt(server.port, {
      redis: user,
      events: { onDisconnected: (problem) => problems.push(problem) },
    });
    expect(queue.isReady()).toBe(true);
    expect(await queue.inspect()).toEqual({ version: '', evictionPolicy: '', tells: false });
    expect(await queue.evictionPolicy()).toBeUndefined();
    const waiting = queue.claimBlocking();
    await admin.lpush(QUEUE, message('1'));
    expect((await waiting)?.raw.toString()).toBe(message('1'));
    const idle = queue.claimBlocking();
    await queue.unblock();
    expect(await idle).toBeUndefined();
    expect(problems).toEqual([]);
  });
});

test('a demotion is seen through the wording of Redis before 7, and the new primary is found', async () => {
  const promoted = await startRedis();
  cleanUp.push(() => promoted.stop());
  const old = await startOldWordingProxy(redis.port);
  const { proxy } = old;
  cleanUp.push(() => proxy.close());
  const queue = await queueAt(proxy.port);
  await claim(queue, 1);
  proxy.leadTo(promoted.port);
  await plainAdmin(promoted.port).lpush(QUEUE, message('1'));
  await redis.client.replicaof('127.0.0.1', 1);
  try {
    await expect(claim(queue, 1)).rejects.toMatchObject({ outcomeUnknown: false });
    expect(old.reworded).toBe(1);
    const claimed = () => claim(queue, 1).catch(() => []);
    const found = await waitFor(async () => (await claimed())[0], { what: 'a claim from the promoted one' });
    expect(found.raw.toString()).toBe(message('1'));
  } finally {
    await redis.client.replicaof('NO', 'ONE');
  }
});

test('a Redis that wants a password and got none is named as such', async () => {
  const server = await startRedis({ args: ['--requirepass', 'secret'] });
  cleanUp.push(() => server.stop());
  const proxy = await startTcpProxy(server.port);
  cleanUp.push(() => proxy.close());
  const problems: string[] = [];
  const queue = openQueueSoon(proxy.port, problems);
  await waitFor(() => problems.length > 0, { what: 'the refusal' });
  expect(problems).toEqual([
    `Cannot connect to Redis at 127.0.0.1:${proxy.port}: the password is refused (see REDIS_PASSWORD, REDIS_USERNAME)`,
  ]);
  expect(queue.isReady()).toBe(false);
});

function openQueueSoon(port: number, problems: string[]) {
  const queue = queueOf(port, 'worker-1', { events: { onDisconnected: (problem) => problems.push(problem) } });
  cleanUp.push(() => queue.stop());
  queue.start();
  return queue;
}

function plainAdmin(port: number): Redis {
  const admin = new Redis({
    port,
    host: '127.0.0.1',
    protocol: 2,
    enableReadyCheck: false,
    maxRetriesPerRequest: null,
  });
  cleanUp.push(() => admin.disconnect());
  return admin;
}
