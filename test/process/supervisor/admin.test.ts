import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';

import type { StatusDocument } from '../../../supervisor/status/status-document.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { startOperated, TOKEN, type Ask, type Operated } from '../fixtures/operated.js';

const redis = useRedis();
const main = useMainServer();
useProgram();
let operated: Operated;

const start = async (env: Record<string, string> = {}): Promise<Operated> => {
  operated = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url, env });
  await operated.untilReady();
  return operated;
};
const authorization = `Bearer ${TOKEN}`;

describe('with a token', () => {
  beforeEach(async () => {
    await start({ SUPERVISOR_ADMIN_TOKEN: TOKEN });
  });

  test('every route answers on TCP and on the socket, which only its owner can open', async () => {
    const answers = await Promise.all(
      ['/health', '/ready', '/status', '/metrics', '/metrics/workers', '/dead'].flatMap((path) =>
        [true, false].map(async (socket) => `${path} ${(await operated.ask(path, { socket })).status}`),
      ),
    );
    expect(new Set(answers.map((answer) => answer.split(' ')[1]))).toEqual(new Set(['200']));
    expect(statSync(operated.socketPath).mode & 0o777).toBe(0o600);
    expect((await operated.ask('/health', { method: 'HEAD' })).text).toBe('');
  });

  test('what changes something, or shows messages, needs the token', async () => {
    await redis.client.lpush(
      `{${QUEUE}}:dead`,
      JSON.stringify({ reason: 'malformed', message: 'secret', dead_at: '' }),
    );
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: TOKEN },
      { authorization: 'Bearer ' },
    ]) {
      for (const path of [
        '/stop',
        '/reload',
        '/scale',
        '/workers/worker-1/restart',
        '/dead/replay',
        '/dead/purge',
        '/messages/cancel',
      ]) {
        expect((await operated.ask(path, { method: 'POST', headers })).status).toBe(401);
      }
      expect((await operated.ask('/audit', { headers })).status).toBe(401);
      const shown = await operated.ask('/dead/1', { headers });
      expect(shown).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
      expect(shown.text).not.toContain('secret');
    }
    expect((await operated.ask('/dead/1', { headers: { authorization } })).body).toMatchObject({ message: 'secret' });
    expect((await operated.ask('/dead')).text).not.toContain('secret');
  });

  test('names, origins, paths and methods', async () => {
    const cases: readonly (readonly [string, string, Ask, number])[] = [
      ['a foreign host', '/status', { headers: { host: 'evil.example' } }, 403],
      ['a foreign host with our name as user', '/status', { headers: { host: 'localhost@evil.example' } }, 403],
      ['a path that is no path', '//', {}, 400],
      ['localhost', '/status', { headers: { host: 'localhost:9099' } }, 200],
      ['the loopback address', '/status', { headers: { host: '[::1]:9099' } }, 200],
      [
        'a page of another origin',
        '/reload',
        { method: 'POST', headers: { authorization, origin: 'http://evil.example' } },
        403,
      ],
      ['a sandboxed page', '/reload', { method: 'POST', headers: { authorization, origin: 'null' } }, 403],
      ['an unknown route', '/nowhere', {}, 404],
      ['a broken escape', '/dead/%zz', {}, 404],
      ['a wrong method', '/status', { method: 'POST' }, 405],
      ['GET of what changes something', '/reload', {}, 405],
      ['an unknown worker', '/workers/nobody/restart', { method: 'POST', headers: { authorization } }, 404],
      ['an unknown letter', '/dead/7', { headers: { authorization } }, 404],
    ];
    for (const [what, path, ask, status] of cases) {
      const reply = await operated.ask(path, ask);
      expect(reply.status, what).toBe(status);
      if (status !== 200) expect(reply.body['error'], what).toMatch(/\w.*\.$/);
    }
  });

  test('bad bodies are refused with 400 and the reason', async () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['/scale', '{"workers":0}', /workers is 0; it must be a whole number from 1 to 512/],
      ['/scale', '{"workers":1.5}', /workers is 1.5/],
      ['/scale', '{"workers":"3"}', /workers is "3"/],
      ['/scale', '{}', /workers is missing/],
      ['/scale', '{"workers":', /not valid JSON/],
      ['/scale', '[1]', /must be a JSON object/],
      ['/scale', '{"worker":1}', /no field "worker" here; known are: workers/],
      ['/reload', '{"now":1}', /no field "now"/],
      ['/dead/replay', '{"older_then_seconds":1}', /no field/],
      ['/dead/replay', '{"reason":"boredom"}', /one of malformed, max_attempts_exceeded, poison/],
      ['/dead/purge', '{"older_than_seconds":-1}', /0 or more/],
      ['/dead/purge', '{"ids":[]}', /a list of texts/],
      ['/dead/purge', '{}', /every dead letter/],
      ['/dead/replay', '{}', /every dead letter/],
      ['/messages/cancel', '{}', /every message/],
    ];
    for (const [path, body, error] of cases) {
      const reply = await operated.ask(path, { method: 'POST', headers: { authorization }, body });
      expect(reply.status, body).toBe(400);
      expect(reply.body['error']).toMatch(error);
    }
  });

  test('a list refuses a bad limit, and a body over 64 KiB is refused however it comes', async () => {
    expect((await operated.ask('/dead?limit=0')).status).toBe(400);
    expect((await operated.ask('/dead?reason=boredom')).status).toBe(400);
    expect((await operated.ask('/dead?text=secret')).status).toBe(401);
    expect((await operated.ask('/dead?text=secret', { headers: { authorization } })).body).toMatchObject({ total: 0 });
    const body = JSON.stringify({ workers: 'x'.repeat(70_000) });
    expect((await operated.ask('/scale', { method: 'POST', socket: true, body })).status).toBe(413);
    const headers = { 'transfer-encoding': 'chunked' };
    expect((await operated.ask('/scale', { method: 'POST', socket: true, headers, body })).status).toBe(413);
  });

  test('reload, scale and restart do what they say, and a reload that fails says why', async () => {
    const post = (path: string, body?: string) =>
      operated.ask(path, { method: 'POST', headers: { authorization }, ...(body === undefined ? {} : { body }) });
    const before = await statusOf(operated);
    const both = await Promise.all([post('/reload'), post('/reload')]);
    for (const reply of both)
      expect(reply).toMatchObject({ status: 200, body: { ok: true, workers: [{ id: 'worker-1', replaced: true }] } });
    expect((await statusOf(operated)).supervisor.reloads_succeeded).toBe(1);
    expect(await post('/scale', '{"workers":2}')).toMatchObject({
      status: 200,
      body: { workers_before: 1, workers_wanted: 2 },
    });
    await waitFor(async () => (await statusOf(operated)).workers.every(({ state }) => state === 'ready'), {
      what: 'two',
    });
    const restarted = await post('/workers/worker-1/restart');
    expect(restarted.status).toBe(200);
    expect(restarted.body['pid']).not.toBe(before.workers[0]?.pid);
  });

  test('dead letters are listed, replayed with a filter, and purged', async () => {
    await redis.client.lpush(QUEUE, 'not JSON', '[]');
    await waitFor(async () => (await operated.ask('/dead')).body['total'] === 2, { what: 'two dead letters' });
    expect((await operated.ask('/dead?limit=1')).body).toMatchObject({ total: 2, shown: 1, has_more: true });
    const ids = ((await operated.ask('/dead')).body['letters'] as { key: string }[]).map(({ key }) => key);
    const post = (path: string, body: object) =>
      operated.ask(path, { method: 'POST', headers: { authorization }, body: JSON.stringify(body) });
    expect((await post('/dead/replay', { dry_run: true })).body).toMatchObject({ matched: 2, done: 0 });
    expect((await post('/dead/purge', { ids: [ids[0]] })).body).toMatchObject({ matched: 1, done: 1 });
    expect((await post('/dead/purge', { all: true })).body).toMatchObject({ done: 1 });
    expect((await operated.ask('/dead')).body['total']).toBe(0);
  });

  test('a client that dribbles or holds many connections keeps nobody waiting', async () => {
    const slow = connect(operated.port, '127.0.0.1');
    const greedy = Array.from({ length: 150 }, () => connect(operated.port, '127.0.0.1').on('error', () => undefined));
    slow.on('error', () => undefined).resume();
    slow.write('GET /status HTTP/1.1\r\nHost: localhost\r\n');
    expect((await operated.ask('/status', { socket: true })).status).toBe(200);
    await redis.client.lpush(QUEUE, JSON.stringify({ message_id: 'meanwhile' }));
    await waitFor(() => main.server.ledger.delivered.has('meanwhile'), {
      what: 'a delivery',
    });
    await waitFor(() => slow.destroyed, { what: 'the slow client to be cut off' });
    greedy.forEach((socket) => socket.destroy());
  });

  test('stop drains however often it is asked for, and ends the supervisor with 0', async () => {
    main.server.faults.post.delayMs = 1_000;
    await redis.client.lpush(QUEUE, JSON.stringify({ message_id: 'held' }));
    await waitFor(() => main.server.ledger.of('held').length === 1, { what: 'a POST under way' });
    for (let times = 0; times < 2; times++) {
      expect(await operated.ask('/stop', { method: 'POST', socket: true })).toMatchObject({ status: 202 });
    }
    expect(await operated.program.waitForExit()).toEqual({ code: 0, signal: null });
    expect(main.server.ledger.delivered.has('held')).toBe(true);
  });
});

test('without a token nothing can be changed over TCP, and all over the socket', async () => {
  await start();
  const refused = await operated.ask('/reload', { method: 'POST', headers: { authorization } });
  expect(refused.status).toBe(403);
  expect(refused.body['error']).toContain('SUPERVISOR_ADMIN_TOKEN');
  expect((await operated.ask('/reload', { method: 'POST', socket: true })).status).toBe(200);
});

test('a socket that a killed supervisor left is replaced', async () => {
  await start();
  process.kill(operated.program.pid, 'SIGKILL');
  await operated.program.waitForExit();
  expect(statSync(operated.socketPath).isSocket()).toBe(true);
  const next = await operated.startAgain();
  await waitFor(
    () =>
      next.ask('/health', { socket: true }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    { what: 'the new supervisor to answer on the socket' },
  );
});

async function statusOf({ ask }: Operated): Promise<StatusDocument> {
  return (await ask('/status')).body as unknown as StatusDocument;
}
