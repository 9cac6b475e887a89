import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { useCertificates } from '../../support/main-server/certificates.js';
import { freePort } from '../../support/free-port.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { makeCertificates, validFor } from '../../support/main-server/pki.js';
import { useProgram } from '../../support/program/program.js';
import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { document } from '../../unit/contract/markdown.js';
import { runCommand, startOperated } from '../fixtures/operated.js';

const redis = useRedis();
const certificates = useCertificates();
const main = useMainServer(certificates);
useProgram();

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly text: string;
  readonly advice: string | null;
}

let cwd: string;
let env: Record<string, string>;

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'check-'));
  const { workerCert, workerKey, caCert } = certificates.files;
  await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
  env = {
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redis.port),
    MAIN_SERVER_URL: main.server.url,
    WORKER_CERT_PATH: workerCert,
    WORKER_KEY_PATH: workerKey,
    CA_CERT_PATH: caCert,
    WORKER_COUNT: '1',
    WORKER_METRICS_HOST: '127.0.0.1',
    WORKER_METRICS_PORT: String(await freePort()),
    SUPERVISOR_PORT: String(await freePort()),
    SUPERVISOR_RUNTIME_DIR: join(cwd, 'run'),
  };
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

async function check(
  changes: Record<string, string> = {},
): Promise<{ code: number | null; of: (name: string) => Finding[] }> {
  const { code, out } = await runCommand(['check', '--json'], { env: { ...env, ...changes }, cwd });
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  return { code, of: (name) => findings.filter(({ check: its }) => its === name) };
}

test('a wrong path for deliveries fails, and nothing is delivered to find that out', async () => {
  const { code, of } = await check({ MAIN_SERVER_DELIVER_ENDPOINT: '/internal/message/deliver' });
  expect(code).toBe(1);
  // a warning on a busy machine, where it answers slowly
  expect(of('main server')).not.toMatchObject([{ level: 'fail' }]);
  expect(of('main server route')).toMatchObject([
    { level: 'fail', text: expect.stringContaining('no route /internal/message/deliver') as string },
  ]);
  expect(main.server.ledger.posts).toBe(0);
});

test('a sound host: one line per check, exit code 0', async () => {
  const { code, out } = await runCommand(['check'], { env, cwd });
  expect(code).toBe(0);
  for (const name of [
    'configuration',
    'redis',
    'redis eviction',
    'redis clock',
    'queue',
    'certificates',
    'main server',
    'main server route',
    'main server clock',
    'ports',
    'log folder',
  ]) {
    expect(out).toMatch(new RegExp(`^OK    ${name} `, 'm'));
  }
  expect(out).toMatch(/^WARN {2}supervisor .*→ Start it/m);
});

test('Redis: away, evicting, another type of key, dead letters, a long wait', async () => {
  const away = await check({ REDIS_PORT: '1' });
  expect(away).toMatchObject({ code: 1 });
  expect(away.of('redis')).toMatchObject([
    { level: 'fail', text: expect.stringContaining('Cannot connect to Redis at 127.0.0.1:1') as string },
  ]);
  expect(away.of('main server')).not.toMatchObject([{ level: 'fail' }]);

  await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await redis.client.lpush(`{${QUEUE}}:dead`, '{}');
  await redis.client.lpush(QUEUE, JSON.stringify({ message_id: 'a', queued_at: '2020-01-01T00:00:00Z' }));
  const evicting = await check();
  expect(evicting.code).toBe(1);
  expect(evicting.of('redis eviction')).toMatchObject([
    { level: 'fail', advice: expect.stringContaining('noeviction') as string },
  ]);
  expect(evicting.of('dead letters')).toMatchObject([{ level: 'warn' }]);
  expect(evicting.of('queue')).toMatchObject([
    { level: 'warn', advice: expect.stringContaining('check --capacity') as string },
  ]);

  await redis.client.set('message_queue', 'text');
  expect((await check()).of('queue')).toMatchObject([
    { level: 'fail', text: 'the key message_queue is a string, no list' },
  ]);
});

test('messages that nobody takes, a backlog, and a user with the commands of the README only', async () => {
  const aclLine = document('ecosystem.md')
    .fenced('text')
    .find((line) => line.startsWith('ACL SETUSER mbw'));
  const words = aclLine?.replace('PASSWORD', 'secret').split(' ').slice(1) ?? [];
  await redis.client.call('ACL', ...words);
  const asUser = { REDIS_USERNAME: 'mbw', REDIS_PASSWORD: 'secret' };
  const empty = await check(asUser);
  expect(empty.of('redis')).toMatchObject([{ level: 'ok' }]);
  expect(empty.of('queue')).toMatchObject([{ level: 'ok', text: '0 waiting, 0 processing, 0 retrying, 0 dead' }]);
  expect(empty.of('consumers')).toEqual([]);

  const texts = Array.from({ length: 10_001 }, (_, at) => JSON.stringify({ message_id: `m${at}` }));
  await redis.client.lpush(QUEUE, ...texts);
  const unserved = await check(asUser);
  expect(unserved.code).toBe(1);
  expect(unserved.of('consumers')).toMatchObject([
    {
      level: 'fail',
      text: '10001 messages wait and no worker of this kind is alive; nobody takes them',
      advice: expect.stringContaining('message-broker-worker start') as string,
    },
  ]);
  expect(unserved.of('queue')).toMatchObject([
    { level: 'warn', text: 'queue backlog: 10001 messages wait, more than 10000' },
  ]);
});

test('certificates: missing, readable by others, expired, soon to expire', async () => {
  expect((await check({ WORKER_CERT_PATH: 'nowhere.crt' })).of('certificates')).toMatchObject([
    { level: 'fail', text: expect.stringContaining('Worker certificate not found at nowhere.crt') as string },
  ]);
  const made = async (days: number) => {
    const files = await makeCertificates({
      directory: join(cwd, `certs${days}`),
      authority: certificates.files.authority,
      workerValidity: validFor(days),
    });
    return { WORKER_CERT_PATH: files.workerCert, WORKER_KEY_PATH: files.workerKey };
  };
  expect((await check(await made(-1))).of('certificates')).toMatchObject([
    { level: 'fail', text: expect.stringContaining('expired') as string },
  ]);
  const soon = await made(5);
  expect((await check(soon)).of('certificates')).toMatchObject([
    { level: 'warn', text: expect.stringContaining('expires in 5 days') as string },
  ]);
  chmodSync(soon.WORKER_KEY_PATH, 0o644);
  expect((await check(soon)).of('certificates')).toMatchObject([
    { level: 'fail', text: expect.stringContaining('chmod 600') as string },
  ]);
});

test('main server: refused, of an unknown CA, unhealthy, without a health endpoint', async () => {
  const refused = await check({ MAIN_SERVER_URL: 'https://localhost:1' });
  expect(refused.of('main server')).toMatchObject([
    {
      level: 'fail',
      text: expect.stringMatching(
        /Failed to connect to main server https:\/\/localhost:1: Connection refused/,
      ) as string,
      advice: 'Start it, or correct MAIN_SERVER_URL.',
    },
  ]);
  const other = await makeCertificates({ directory: join(cwd, 'other') });
  expect((await check({ CA_CERT_PATH: other.caCert })).of('main server')).toMatchObject([
    { level: 'fail', advice: expect.stringContaining('openssl s_client') as string },
  ]);
  main.server.faults.health = 'unhealthy';
  expect((await check()).of('main server')).toMatchObject([
    { level: 'fail', text: expect.stringContaining('503') as string },
  ]);
  main.server.faults.health = 'absent';
  expect((await check()).of('main server')).toMatchObject([{ level: 'warn' }]);
});

test('the host: a taken port, a log folder that cannot be made, a bad configuration', async () => {
  const holder = createServer().listen(Number(env['SUPERVISOR_PORT']), '127.0.0.1');
  try {
    expect((await check()).of('ports')).toMatchObject([
      { level: 'fail', text: expect.stringContaining(env['SUPERVISOR_PORT'] ?? '') as string },
    ]);
  } finally {
    await new Promise((closed) => holder.close(closed));
  }
  expect((await check({ LOG_FILE_PATH: '/proc/logs' })).of('log folder')).toMatchObject([{ level: 'fail' }]);
  writeFileSync(join(cwd, '.env'), 'WORKER_CONCURRENCY=lots\n');
  const bad = await check();
  expect(bad.code).toBe(1);
  expect(bad.of('configuration')).toMatchObject([
    { level: 'fail', text: expect.stringContaining('WORKER_CONCURRENCY') as string },
  ]);
});

test('a running supervisor: it is ready, and its ports are its own', async () => {
  const operated = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url, env });
  env = { ...operated.env };
  await operated.untilReady();
  const running = await check();
  expect(running.of('supervisor')).toMatchObject([
    { level: 'ok', text: expect.stringContaining('1 of 1 workers') as string },
  ]);
  expect(running.of('ports')).toMatchObject([{ level: 'ok' }]);
  expect(running.of('consumers')).toMatchObject([{ level: 'ok', text: '1 worker holds a lease' }]);
  expect(running.of('host memory')).toMatchObject([
    { text: expect.stringMatching(/^\d+ MiB are available/) as string },
  ]);

  main.server.faults.post.delayMs = 800;
  await redis.client.lpush(QUEUE, ...Array.from({ length: 4 }, (_, at) => JSON.stringify({ message_id: `s${at}` })));
  await waitFor(async () => /"delivery_seconds":\{/.test((await operated.ask('/status')).text), {
    what: 'the deliveries to be measured',
  });
  expect((await check()).of('delivery time')).toMatchObject([
    { level: 'warn', text: expect.stringMatching(/^half of the deliveries take up to/) as string },
  ]);
});
