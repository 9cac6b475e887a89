/** What the doctor finds by itself, without a supervisor whose reasons could stand in for its own words. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startRedis } from '../../scripts/local/redis-process.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { CAUSE } from '../../src/shared/words/causes.js';
import type { Finding } from '../../supervisor/doctor/finding.js';
import { checkMainServer } from '../../supervisor/doctor/main-server-checks.js';
import { checkRedis } from '../../supervisor/doctor/redis-checks.js';
import { checkSupervisor } from '../../supervisor/doctor/supervisor-checks.js';
import { makeCertificates, validFor } from '../support/main-server/pki.js';
import { testConfig } from '../support/program/config.js';
import { EARLIER_USER, permitAsVersion1 } from '../support/redis/earlier-user.js';
import { QUEUE, redisConfig } from '../support/redis/queue.js';
import { useRedis } from '../support/redis/redis.js';
import { repeat } from '../support/wait-for.js';
import { someStatus } from '../unit/contract/some-status.js';

const redis = useRedis();
const cleanUp: (() => Promise<unknown>)[] = [];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

const examined = (port = redis.port, overrides: Parameters<typeof redisConfig>[1] = {}) =>
  checkRedis(testConfig({ redis: redisConfig(port, overrides) }), systemClock);
const of = (findings: readonly Finding[], name: string) => findings.filter(({ check }) => check === name);
const one = (findings: readonly Finding[], name: string) => {
  const [found, ...more] = of(findings, name);
  if (!found || more.length > 0) throw new Error(`${more.length} more of ${name}`);
  return found;
};

async function configured(name: string, value: string): Promise<void> {
  const [, before = ''] = await redis.client.config('GET', name);
  cleanUp.push(() => redis.client.config('SET', name, before));
  await redis.client.config('SET', name, value);
}

describe('Redis', () => {
  test('that is as it should be', async () => {
    await configured('appendonly', 'yes');
    const findings = await examined();
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(one(findings, 'redis').text).toBe(`reachable at 127.0.0.1:${redis.port}`);
    expect(one(findings, 'redis version').text).toMatch(/^\d+\.\d+\.\d+/);
    expect(one(findings, 'redis eviction').text).toBe('noeviction: the queue cannot be evicted');
    expect(one(findings, 'redis clock').level).toBe('ok');
  });

  test('that is away', async () => {
    const found = one(await examined(1), 'redis');
    expect(found).toMatchObject({
      level: 'fail',
      advice: expect.stringMatching(/^Start Redis .*REDIS_HOST, REDIS_PORT\.$/) as string,
    });
    expect(found.text).toMatch(new RegExp(`^${CAUSE.redis}: Cannot connect to Redis at 127\\.0\\.0\\.1:1: `));
  });

  test('whose cluster is away: the settings and the node are named', async () => {
    const found = one(await examined(1, { clusterNodes: [{ host: 'localhost', port: 1 }] }), 'redis');
    expect(found.text).toContain('node localhost:1: Connection refused');
    expect(found.advice).toContain('REDIS_CLUSTER_NODES');
  });

  test('that refuses the password: nobody is told to start it', async () => {
    await configured('requirepass', 'right');
    const found = one(await examined(redis.port, { password: 'wrong' }), 'redis');
    expect(found.text).toContain('the password is refused');
    expect(found.advice).toMatch(/^Redis runs and refuses the log-in: correct REDIS_PASSWORD/);
  });

  test('that may delete the queue', async () => {
    await configured('maxmemory-policy', 'allkeys-lru');
    expect(one(await examined(), 'redis eviction')).toMatchObject({
      level: 'fail',
      text: 'maxmemory-policy is allkeys-lru: when memory is short Redis may delete the whole queue',
      advice: expect.stringContaining('config set maxmemory-policy noeviction') as string,
    });
  });

  test('that is nearly full', async () => {
    const used = /^used_memory:(\d+)/m.exec(await redis.client.info('memory'))?.[1];
    await configured('maxmemory', String(Math.ceil(Number(used) * 1.02)));
    expect(one(await examined(), 'redis memory')).toMatchObject({
      level: 'warn',
      text: expect.stringMatching(/^\d+ % of maxmemory is used$/) as string,
    });
  });

  test('that loses what came since its last snapshot', async () => {
    await configured('appendonly', 'no');
    expect(one(await examined(), 'redis persistence')).toMatchObject({ level: 'warn' });
  });

  test('that is a replica', async () => {
    const primary = await startRedis();
    cleanUp.push(() => primary.stop());
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
    cleanUp.push(() => replica.stop());
    expect(one(await examined(replica.port), 'redis role')).toMatchObject({
      level: 'fail',
      text: 'this is a replica, which takes no writes',
    });
  });

  test.each(['renamed', 'forbidden'])('whose INFO is %s: what is not known is said to be unknown', async (how) => {
    const server = await startRedis({ args: how === 'renamed' ? ['--rename-command', 'INFO', ''] : [] });
    cleanUp.push(() => server.stop());
    let user = {};
    if (how === 'forbidden') {
      await redis.client.call('ACL', 'SETUSER', 'blind', 'on', '>pw', '~*', '+@all', '-info');
      cleanUp.push(() => redis.client.call('ACL', 'DELUSER', 'blind'));
      user = { username: 'blind', password: 'pw' };
    }
    const findings = await examined(how === 'renamed' ? server.port : redis.port, user);
    expect(one(findings, 'redis').level).toBe('ok');
    expect(one(findings, 'redis version')).toMatchObject({
      level: 'warn',
      text: expect.stringMatching(/^not known, .* INFO is refused \(Redis at .*(unknown command|NOPERM)/) as string,
    });
    expect(of(findings, 'redis eviction')).toEqual([]);
    expect(findings.filter(({ level }) => level === 'fail')).toEqual([]);
  });
});

describe('the user of Redis', () => {
  const asUser = async (...rules: readonly string[]) => {
    await redis.client.call('ACL', 'SETUSER', 'mbw', 'reset', 'on', '>pw', '~*', '+@all', ...rules);
    cleanUp.push(() => redis.client.call('ACL', 'DELUSER', 'mbw'));
    return of(await examined(redis.port, { username: 'mbw', password: 'pw' }), 'redis user');
  };

  test('that may do everything', async () => {
    expect(await asUser()).toMatchObject([{ level: 'ok', text: 'mbw may do all that is needed' }]);
    expect(await redis.client.keys('*')).toEqual([]);
  });

  test('with the permissions of version 1: what is missing is named, what that means, and the cure', async () => {
    await permitAsVersion1(redis.client);
    cleanUp.push(() => redis.client.call('ACL', 'DELUSER', 'mbw'));
    const found = of(await examined(redis.port, EARLIER_USER), 'redis user');
    expect(found.map(({ level }) => level)).toEqual(found.map(() => 'warn'));
    expect(found[0]!.text).toMatch(/^mbw may not call HSET: .*the main server is not told of burials/);
    expect(found[0]!.advice).toMatch(/^ACL SETUSER mbw \+hset /);
    const named = found.map(({ text }) => text).join();
    for (const command of ['LTRIM', 'HEXISTS', 'ZCOUNT', 'ZREVRANGE', 'HSTRLEN', 'SCAN', 'LPOS']) {
      expect(named).toContain(command);
    }
    expect(named).not.toContain('ZADD');
  });

  test.each(['LPUSH', 'RPUSH', 'ZADD', 'LREM', 'BLMOVE', 'RPOPLPUSH'])('that may not call %s', async (command) => {
    await redis.client.zadd(`{${QUEUE}}:consumers`, 1, 'somebody');
    const before = await redis.client.zrange(`{${QUEUE}}:consumers`, '0', '-1', 'WITHSCORES');
    expect(await asUser(`-${command}`)).toMatchObject([
      { level: 'fail', text: `mbw may not call ${command}: messages are not delivered, tried again or recovered` },
    ]);
    expect(await redis.client.keys('*')).toEqual([`{${QUEUE}}:consumers`]);
    expect(await redis.client.zrange(`{${QUEUE}}:consumers`, '0', '-1', 'WITHSCORES')).toEqual(before);
  });

  test.each([
    ['-evalsha', '-eval'],
    ['resetkeys', '~other'],
  ])('that may run no script on our keys (%s)', async (...rules) => {
    const [found] = await asUser(...rules);
    expect(found).toMatchObject({ level: 'fail' });
    expect(found!.text).toMatch(/^mbw may not do what deliveries need: .*(evalsha|keys)/);
  });
});

describe('the queue', () => {
  test('with a backlog that nobody takes', async () => {
    const texts = Array.from({ length: 10_001 }, (_, at) => JSON.stringify({ message_id: `m${at}` }));
    await redis.client.lpush(QUEUE, ...texts);
    const findings = await examined();
    expect(one(findings, 'queue').text).toMatch(new RegExp(`^${CAUSE.backlog}: 10001 messages wait`));
    expect(one(findings, 'consumers')).toMatchObject({ level: 'fail' });
  });

  test.each([
    ['in the past of the clock of Redis', 1],
    ['in its future', 4e12],
  ])('a lease that is not renewed is one of which nothing is known: %s', async (_, score) => {
    await redis.client.zadd(`{${QUEUE}}:consumers`, score, 'w@h/0.1.a');
    expect(one(await examined(), 'consumers')).toMatchObject({
      level: 'warn',
      text: 'no worker of this kind has shown a sign of life within 4.5 s; a lease is held, and whether by the living is not known',
    });
  });

  test('a lease that is renewed is a living worker, whatever the clocks say', async () => {
    const consumers = `{${QUEUE}}:consumers`;
    await redis.client.zadd(consumers, 1, 'w@h/0.1.a');
    const renewing = repeat(async () => void (await redis.client.zincrby(consumers, 1, 'w@h/0.1.a')), 100);
    expect(one(await examined(), 'consumers')).toMatchObject({ level: 'ok', text: '1 worker holds a lease' });
    await renewing.stop();
  });
});

describe('the main server', () => {
  test('that is away', async () => {
    const files = await makeCertificates({ directory: join(folder, 'good') });
    const tls = { certFile: files.workerCert, keyFile: files.workerKey, caFile: files.caCert };
    const findings = await checkMainServer(
      testConfig({ mainServer: { url: 'https://localhost:1' }, tls }),
      systemClock,
    );
    expect(one(findings, 'main server').text).toContain(CAUSE.mainServer);
  });

  test('whose certificate for us has ended', async () => {
    const files = await makeCertificates({ directory: join(folder, 'ended'), workerValidity: validFor(-1) });
    const tls = { certFile: files.workerCert, keyFile: files.workerKey, caFile: files.caCert };
    const findings = await checkMainServer(
      testConfig({ mainServer: { url: 'https://localhost:1' }, tls }),
      systemClock,
    );
    expect(one(findings, 'certificates').text).toContain(CAUSE.certificate);
  });
});

test('a worker that hung is named, although the supervisor gives no reason any more', async () => {
  const status = someStatus();
  const hung = {
    id: 'worker-1',
    hangs: 2,
    memory_bytes: null,
    consuming: true,
    state: 'ready',
    reasons: [],
    failing_duties: [],
  };
  const client = { ask: async () => ({ ...status, workers: [hung] }), text: async () => '', close: () => undefined };
  const { findings } = await checkSupervisor(client as unknown as Parameters<typeof checkSupervisor>[0]);
  expect(one(findings, 'hung workers').text).toBe(
    `worker-1 ${CAUSE.hang} for 10 s and was killed, 2 times since the start`,
  );
});
