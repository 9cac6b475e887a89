import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { redisKeys } from '../../../src/queue/keys.js';
import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { runCommand, type Ran } from '../fixtures/operated.js';

const redis = useRedis();
const keys = redisKeys(QUEUE);
let cwd: string;

beforeEach(() => (cwd = mkdtempSync(join(tmpdir(), 'message-'))));
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

/** Without a supervisor: these commands need only Redis. */
const command = (...args: string[]): Promise<Ran> =>
  runCommand(['message', ...args], { env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) }, cwd });

async function fill(): Promise<void> {
  await redis.client.lpush(
    QUEUE,
    '{"message_id":"next","client_id":"c","domain":"d.org","queued_at":"2026-01-15T10:30:00Z"}',
    '{"message_id":"bad\\u001b[31m"}',
    '{"message_id":"hostile","body":"\\u001b]0;x\\u0007 \u202e"}',
  );
  const retry = '{"message_id":"failing","client_id":"c","attempt_count":2}';
  await redis.client.zadd(keys.retry, Date.now() + 30_000, `0123456789ab1 failing 30000:${retry}`);
  const failure = {
    at: '2026-01-15T10:30:45.123Z',
    reason: 'http_503',
    status: 503,
    worker_id: 'worker-1',
    answer: 'no capacity',
  };
  await redis.client.hset(keys.failures, 'failing', JSON.stringify(failure));
  await redis.client.zadd(keys.consumers, Date.now() + 10_000, 'worker-2@host-a/0a1b.7.n1');
  await redis.client.lpush(keys.processing('worker-2@host-a/0a1b.7.n1'), '{"message_id":"claimed"}');
}

test('show: where it is, what happened to it, what it says', async () => {
  await fill();
  const failing = await command('show', 'failing');
  expect(failing).toMatchObject({ code: 0 });
  expect(failing.out).toMatch(/^failing is waiting for its retry, due in (30|29|2\d)s\.$/m);
  expect(failing.out).toMatch(
    /attempts +2 failed[^]*message +\{"message_id":"failing","client_id":"c","attempt_count":2\}/,
  );
  expect(failing.out).toMatch(/2026-01-15T10:30:45\.123Z +http_503 +503 +worker-1 +no capacity/);
  expect((await command('show', 'next')).out).toMatch(/^next is waiting, the next to be claimed\.$/m);
  expect((await command('show', 'claimed')).out).toContain('claimed is claimed by worker-2 on host-a.');
  const hostile = await command('show', 'hostile');
  expect(hostile.out).not.toMatch(/[\x1b\x07\u202e]/);
  expect(JSON.parse((await command('show', 'failing', '--json')).out)).toMatchObject({
    schema_version: 1,
    message_id: 'failing',
    places: [{ place: 'retry', interval_seconds: 30, attempt_count: 2, client_id: 'c', message_truncated: false }],
    attempt_count: 2,
    failures: [{ reason: 'http_503', status: 503, answer: 'no capacity', worker_id: 'worker-1' }],
  });
});

test('show: of one that is nowhere, what the log of this host says last', async () => {
  expect(await command('show', 'gone')).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^gone is not in Redis: delivered, [^]*log of this host does not name it/) as string,
  });
  mkdirSync(join(cwd, 'logs'));
  const line = (time: string, text: string) => `2026-01-15 ${time},123 - worker - INFO - [worker-1] - ${text}\n`;
  writeFileSync(join(cwd, 'logs', 'worker-2026-01-14.log'), line('09:00:00', 'Processing message gone'));
  const many = Array.from({ length: 30_000 }, (_, at) => line('10:00:00', `Message gone-${at} delivered`)).join('');
  writeFileSync(join(cwd, 'logs', 'worker-2026-01-15.log'), line('09:59:59', 'Message gone delivered') + many);
  const shown = await command('show', 'gone');
  expect(shown.code).toBe(1);
  expect(shown.out).toMatch(/says last:\n.*Processing message gone\n.*09:59:59.*Message gone delivered$/);
  const { places, log } = JSON.parse((await command('show', 'gone', '--json')).out) as { places: []; log: string[] };
  expect(places).toEqual([]);
  expect(log).toHaveLength(2);
});

test('list: pages over all places, with a filter, as a table and as JSON', async () => {
  await fill();
  const all = await command('list');
  expect(all.out).toMatch(
    /^WHERE[^]*claimed +worker-2 on host-a[^]*retry +due in[^]*http_503[^]*failing[^]*waiting[^]*next +c +d\.org\n5 shown of 5 in all$/,
  );
  expect((await command('list', '--in', 'retry', 'waiting', '--client', 'c')).out).toMatch(/2 shown of 4 in all$/);
  expect((await command('list', '--reason', 'timeout')).out).toBe('None matches.');
  expect((await command('list', '--in', 'dead')).out).toBe('There are none.');
  const page = JSON.parse((await command('list', '--json', '--limit', '2')).out) as {
    messages: object[];
    next: string;
  };
  expect(page).toMatchObject({
    schema_version: 1,
    total: 5,
    messages: [{ place: 'in_flight', begun: null }, { place: 'retry' }],
  });
  const rest = JSON.parse((await command('list', '--json', '--after', page.next)).out) as { messages: object[] };
  expect(rest).toMatchObject({
    next: null,
    messages: [{ place: 'waiting' }, { message_id: null }, { message_id: 'next' }],
  });
  for (const args of [
    ['--limit', '0'],
    ['--in', 'nowhere'],
    ['--follow', '--after', 'x'],
  ]) {
    expect((await command('list', ...args)).code).toBe(2);
  }
});
