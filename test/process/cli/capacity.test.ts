/** `check --capacity`, the built program, against a real Redis and a main server with mutual TLS. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { useCertificates } from '../../support/main-server/certificates.js';
import { freePort } from '../../support/free-port.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { runCommand, startOperated } from '../fixtures/operated.js';

const redis = useRedis();
const certificates = useCertificates();
const main = useMainServer(certificates);
useProgram();

interface Found {
  readonly ok: boolean;
  readonly problems: string[];
  readonly sent: { readonly method: string; readonly url: string; readonly requests: number; readonly seconds: number };
  readonly redis: { readonly round_trips: number; readonly p50_ms: number; readonly p99_ms: number } | null;
  readonly main_server: {
    readonly status: number;
    readonly at_once_allowed: number;
    readonly enough_parallel: number;
    readonly levels: readonly { readonly parallel: number; readonly requests: number; readonly p50_ms: number }[];
  } | null;
  readonly cpu_per_message: { readonly seconds: number; readonly measured_by: string } | null;
  readonly running_workers: { readonly deliveries: number; readonly mean_ms: number } | null;
  readonly configured: Capacity | null;
  readonly recommended: Capacity | null;
}

interface Capacity {
  readonly workers: number;
  readonly concurrency: number;
  readonly seconds_per_message: number;
  readonly messages_per_second: number;
}

let cwd: string;
let env: Record<string, string>;

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'capacity-'));
  const { workerCert, workerKey, caCert } = certificates.files;
  env = {
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redis.port),
    MAIN_SERVER_URL: main.server.url,
    WORKER_CERT_PATH: workerCert,
    WORKER_KEY_PATH: workerKey,
    CA_CERT_PATH: caCert,
    WORKER_COUNT: '2',
    WORKER_CONCURRENCY: '3',
    SUPERVISOR_PORT: String(await freePort()),
    SUPERVISOR_RUNTIME_DIR: join(cwd, 'run'),
  };
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (flags: readonly string[], changes: Record<string, string> = {}) =>
  runCommand(['check', '--capacity', ...flags], { env: { ...env, ...changes }, cwd });

async function measure(
  flags: readonly string[] = [],
  changes: Record<string, string> = {},
): Promise<{ code: number | null; found: Found; err: string }> {
  const { code, out, err } = await run(['--seconds', '2', '--json', ...flags], changes);
  return { code, found: JSON.parse(out) as Found, err };
}

test('measures with keep-alive over mutual TLS, at several levels and at the configured one; delivers nothing', async () => {
  await redis.client.lpush(QUEUE, '{"message_id":"waits"}');
  const before = await redis.client.info('commandstats');
  const accepted = main.server.connections.accepted;
  const { code, found } = await measure();

  expect(code).toBe(0);
  expect(found).toMatchObject({ ok: true, problems: [], running_workers: null });
  expect(found.sent).toMatchObject({ method: 'GET', url: `${main.server.url}/health` });
  expect(found.sent.requests).toBeLessThanOrEqual(5_000);
  const levels = found.main_server?.levels ?? [];
  expect(levels.map(({ parallel }) => parallel).slice(0, 2)).toEqual([1, 2]);
  expect(levels.every(({ requests }) => requests > 0)).toBe(true);
  // keep-alive: as many connections as there were at once, not as many as requests
  expect(main.server.connections.accepted - accepted).toBeLessThanOrEqual(16);
  // fewer than 100 answers at any level say nothing of it
  expect(found.cpu_per_message?.measured_by).toBe(
    levels.some(({ requests }) => requests >= 100) ? 'requests' : undefined,
  );
  expect(main.server.clients.length).toBeGreaterThan(0);
  expect(found.redis?.round_trips).toBeGreaterThan(0);
  expect(found.configured).toMatchObject({ workers: 2, concurrency: 3 });
  const { seconds_per_message: seconds = NaN, messages_per_second: rate = NaN } = found.configured ?? {};
  expect(6 / seconds).toBeCloseTo(rate, 3);

  expect(main.server.ledger).toMatchObject({ posts: 0, puts: 0 });
  expect(await redis.client.lrange(QUEUE, 0, -1)).toEqual(['{"message_id":"waits"}']);
  expect(await redis.client.keys('*')).toEqual([QUEUE]);
  expect(callsOf(await redis.client.info('commandstats')).filter((name) => !callsOf(before).includes(name))).toEqual(
    expect.not.arrayContaining(['blmove', 'evalsha', 'eval', 'lpush', 'rpoplpush', 'set']) as string[],
  );
});

/** Commands that Redis was asked. */
function callsOf(stats: string): string[] {
  return [...stats.matchAll(/^cmdstat_([a-z]+)/gm)].map(([, name]) => name ?? '');
}

test('as text: what was sent, the formula filled in, what to set, the target in the exit code', async () => {
  const enough = await run(['--seconds', '2', '--target', '0.5']);
  expect(enough.code).toBe(0);
  expect(enough.out).toMatch(/^Sent: \d+ × GET https:\/\/localhost:\d+\/health in .*Nothing was enqueued, claimed or/);
  expect(enough.out).toMatch(/^Redis: \d+ round trips, p50 /m);
  expect(enough.out).toMatch(/^Now: 2 × 3 × \(1 \/ [\d.e-]+ s\) = [\d,.]+ per second.* Enough for 0\.5\.$/m);
  expect(enough.out).toMatch(/^ {2}WORKER_COUNT=[12]\n {2}WORKER_CONCURRENCY=[1-8]$/m);
  expect(enough.out).toMatch(/^CPU time per message: (\d+ µs, measured here for the request and Redis;|could not be)/m);
  expect(enough.out).toContain('The original main server takes 30 requests at once from everybody\ntogether');
  expect(enough.out).toContain('A delivery costs the main server more than this request');

  const tooMuch = await run(['--seconds', '1', '--target', '9000000']);
  expect(tooMuch.code).toBe(1);
  expect(tooMuch.out).toContain('Not enough for 9,000,000.');
  expect(tooMuch.out).toContain('9,000,000 per second cannot be had here');
});

test('an error of the main server: nothing more is sent, or it is said that the times are of no delivery', async () => {
  main.server.faults.health = 'unhealthy';
  const sick = await measure();
  expect(sick.code).toBe(1);
  expect(sick.found).toMatchObject({ ok: false, main_server: null, configured: null, sent: { requests: 1 } });
  expect(sick.found.problems).toEqual([expect.stringContaining('it answers 503, so nothing more was sent')]);
  expect(sick.found.redis).not.toBeNull();

  main.server.faults.health = 'healthy';
  const { probedAt } = main.server.ledger;
  const before = probedAt.length;
  const climbing = measure(['--seconds', '60']);
  // one at once gets a sixth of the 5,000 requests: what is asked now is asked by two
  await waitFor(() => probedAt.length >= before + 850, { what: 'more than one request at once' });
  main.server.faults.health = 'unhealthy';
  const { found } = await climbing;
  expect(found.problems).toEqual([expect.stringContaining('it began to answer 503; no more was sent')]);
  expect(found.main_server?.levels.at(-1)?.parallel).toBeLessThan(16);

  main.server.faults.health = 'absent';
  const absent = await measure(['--seconds', '1']);
  expect(absent.code).toBe(1);
  expect(absent.found.problems).toEqual([expect.stringMatching(/\/health is answered 404: .* not of a delivery/)]);
  expect(absent.found.main_server?.levels.length).toBeGreaterThan(0);
});

test('a main server or a Redis that is not there, or hangs: one sentence each, in bounded time', async () => {
  const { found, code } = await measure([], { MAIN_SERVER_URL: 'https://localhost:1', REDIS_PORT: '1' });
  expect(code).toBe(1);
  expect(found.problems).toEqual([
    expect.stringContaining('Cannot connect to Redis at 127.0.0.1:1'),
    expect.stringContaining('GET https://localhost:1/health: Connection refused'),
  ]);
  expect(found).toMatchObject({ redis: null, main_server: null, recommended: null });

  main.server.faults.health = 'hang';
  // who waited for the main server's own time-out would be killed before it is over
  const hanging = await measure(['--seconds', '1'], { MAIN_SERVER_TIMEOUT: '3600' });
  expect(hanging.found.problems).toEqual([expect.stringContaining('no answer within')]);
  expect((await measure([], { WORKER_CERT_PATH: 'nowhere.crt' })).found.problems).toEqual([
    expect.stringContaining('Worker certificate not found at nowhere.crt'),
  ]);
});

test('a main server that freezes beyond 30 in flight is never frozen, however much is configured', async () => {
  // of those that answer more the more are asked, and so tempt to climb
  Object.assign(main.server.faults, { poolSize: 30, freezeMs: 3_000, healthDelayMs: 25 });
  const { code, found } = await measure([], { WORKER_COUNT: '3', WORKER_CONCURRENCY: '16' });
  expect(main.server.inFlight.frozen).toBe(0);
  expect(main.server.inFlight.most).toBeLessThanOrEqual(16);
  expect(found).toMatchObject({ ok: true, problems: [], main_server: { at_once_allowed: 16 } });
  expect(code).toBe(0);
  const { workers = NaN, concurrency = NaN } = found.recommended ?? {};
  expect(workers * concurrency).toBeLessThanOrEqual(16);

  const asked = await run(['--seconds', '2', '--at-once', '24'], { WORKER_COUNT: '3', WORKER_CONCURRENCY: '16' });
  expect(asked.out).toContain('WARN  The present settings allow 48 at once.');
  expect(main.server.inFlight.frozen).toBe(0);
  expect(main.server.inFlight.most).toBeLessThanOrEqual(24);
});

test('one that falls silent in the midst is a problem, and exit code 1', async () => {
  const { probedAt } = main.server.ledger;
  main.server.faults.healthDelayMs = 5;
  const measuring = measure(['--seconds', '60']);
  await waitFor(() => probedAt.length >= 20, { what: 'requests' });
  main.server.faults.health = 'hang';
  const { code, found } = await measuring;
  expect(code).toBe(1);
  expect(found.problems).toEqual([expect.stringMatching(/: no answer within 5 s with \d+ at once/)]);
});

test('beside a running supervisor its real delivery times count', async () => {
  main.server.faults.post.delayMs = 300;
  const operated = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url, env });
  env = { ...operated.env };
  await operated.untilReady();
  const ids = Array.from({ length: 24 }, (_, at) => `m${at}`);
  await redis.client.lpush(QUEUE, ...ids.map((id) => JSON.stringify({ message_id: id })));
  await waitFor(() => main.server.ledger.delivered.size === 24, { what: '24 deliveries' });
  const { found } = await measure(['--seconds', '1']);
  expect(found.running_workers).toMatchObject({ deliveries: 24 });
  // 6 slots, 0.3 s each
  expect(found.configured?.messages_per_second).toBeLessThanOrEqual(20);
  expect(found.main_server?.at_once_allowed).toBe(16);
});

test('beside running workers, what a message waits for its registration is not delivery time', async () => {
  main.server.faults.unknownForMs = 1_500;
  // whoever comes too late for the grace period is tried again
  env.WORKER_RETRY_INTERVAL = '1';
  const operated = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url, env });
  env = { ...operated.env };
  await operated.untilReady();
  const queued_at = new Date().toISOString();
  const texts = Array.from({ length: 20 }, (_, at) => JSON.stringify({ message_id: `young${at}`, queued_at }));
  await redis.client.lpush(QUEUE, ...texts);
  await waitFor(() => main.server.ledger.delivered.size === 20, { what: '20 deliveries' });
  const { found } = await measure(['--seconds', '1']);
  const spans = texts.map((_, at) => {
    const posts = main.server.ledger.of(`young${at}`, 'POST');
    return (posts.at(-1)?.endMs ?? NaN) - (posts[0]?.startMs ?? NaN);
  });
  // each spent most of that waiting, whatever the machine did
  expect(found.running_workers?.mean_ms).toBeLessThan(spans.reduce((sum, ms) => sum + ms, 0) / spans.length);
});

test.each([
  [['--target', 'lots'], '--target is "lots"'],
  [['--endpoint', 'health'], 'must be a path'],
  [['--endpoint', '/internal/messages/deliver'], 'the delivery endpoint'],
  [['--seconds', '0'], 'from 1 to 60'],
  [['--at-once', '65'], 'from 1 to 64'],
])('wrong usage: %j', async (flags, sentence) => {
  const { code, err } = await run(flags);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(sentence) as string });
  expect(main.server.connections.open).toBe(0);
});

test('its flags mean nothing without --capacity', async () => {
  const { code, err } = await runCommand(['check', '--target', '5'], { env, cwd });
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('go with --capacity') as string });
});
