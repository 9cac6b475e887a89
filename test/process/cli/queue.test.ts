import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { deadLetter } from '../../../src/domain/dead-letters/dead-letter.js';
import { readCredentials } from '../../../src/delivery/tls-credentials.js';
import { places, QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { repeat, type Repetition } from '../../support/wait-for.js';
import { runCommand, type Ran } from '../fixtures/operated.js';

const redis = useRedis();
let cwd: string;

beforeEach(() => (cwd = mkdtempSync(join(tmpdir(), 'cli-'))));
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

/** Without a supervisor: these commands need only Redis. */
const command = (...args: string[]): Promise<Ran> => withInput('', ...args);
const withInput = (input: string, ...args: string[]): Promise<Ran> =>
  runCommand(args, { env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) }, cwd, input });

const HOSTILE = 'a"<script>\u001b[31m\r\nb';

async function bury(raw: string, deadAt = Date.now()): Promise<void> {
  const letter = {
    raw: Buffer.from(raw),
    reason: 'max_attempts_exceeded' as const,
    error: HOSTILE,
    attemptCount: 9,
    workerId: 'w',
    deadAt,
  };
  await redis.client.lpush(`{${QUEUE}}:dead`, deadLetter(letter));
}

test('dead: list, show, replay, purge, with filters, dry run and JSON', async () => {
  expect((await command('dead', 'list')).out).toBe('There are no dead letters.');
  await bury('{"message_id":"old","attempt_count":9,"client_id":"c","domain":"d.org"}', Date.now() - 7_200_000);
  await bury('{"message_id":"young","attempt_count":9}');
  const list = await command('dead', 'list');
  expect(list.out).toMatch(
    /^#[\s\S]*1 +[0-9a-f]{12}\.1 +\d+s +max_attempts_exceeded +9 +young[\s\S]*2h\dm[\s\S]*2 shown of 2 in all$/,
  );
  expect(list.out).toContain('a"<script>\\x1b[31m\\x0d\\x0ab');
  expect(list.out).not.toContain('\u001b');
  expect((await command('dead', 'list', '--older-than', '1h')).out).toContain('1 shown of 2');
  for (const filter of [
    ['--client', 'c'],
    ['--domain', 'd.org'],
    ['--text', '"client_id":"c"'],
    ['--id', 'old'],
    ['--id-prefix', 'ol'],
    ['--until', '1h'],
  ]) {
    expect((await command('dead', 'list', ...filter)).out).toMatch(/old[^]*1 shown of 2 in all$/);
  }
  const parsed = JSON.parse((await command('dead', 'list', '--json', '--limit', '1')).out) as {
    letters: { key: string }[];
    cursor: string;
  };
  const next = await command('dead', 'list', '--json', '--after', parsed.cursor);
  expect(JSON.parse(next.out)).toMatchObject({ shown: 1, has_more: false, letters: [{ message_id: 'old' }] });
  expect(parsed).toMatchObject({ total: 2, has_more: true, letters: [{ message_id: 'young' }] });

  expect((await command('dead', 'show', parsed.letters[0]?.key ?? '')).out).toContain(
    '{"message_id":"young","attempt_count":9}',
  );
  expect(JSON.parse((await command('dead', 'show', '2', '--json')).out)).toMatchObject({ message_id: 'old' });
  expect(JSON.parse((await command('dead', 'show', 'old', '--json')).out)).toMatchObject({ number: 2, client_id: 'c' });
  expect((await command('dead', 'show', '7')).code).toBe(1);

  expect((await command('dead', 'replay', '--dry-run')).out).toMatch(
    /^\S+ {2}max_attempts_exceeded {2}old\n\S+ {2}max_attempts_exceeded {2}young\n2 of 2 dead letters would be put back on the queue\.$/,
  );
  const unasked = [await command('dead', 'replay'), await command('dead', 'replay', '--older-than', '1h')];
  expect(unasked.map(({ code }) => code)).toEqual([2, 2]);
  expect(unasked.map(({ err }) => err)).toEqual([
    expect.stringContaining('give a filter, or --all'),
    expect.stringContaining('add --yes'),
  ]);
  expect((await command('dead', 'replay', '--older-than', '1h', '--yes')).out).toBe(
    '1 of 2 dead letters put back on the queue.',
  );
  expect((await places(redis.client)).waiting).toEqual([
    '{"message_id":"old","attempt_count":0,"client_id":"c","domain":"d.org"}',
  ]);
  expect((await command('dead', 'purge')).code).toBe(2);
  expect(JSON.parse((await command('dead', 'purge', '--id', 'young', '--json')).out)).toMatchObject({
    matched: 1,
    done: 1,
  });
  expect((await places(redis.client)).dead).toEqual([]);
  for (const args of [
    ['--older-than', 'soon'],
    ['--since', '2026-01-15T10:30'],
    ['--reason', 'boredom'],
  ]) {
    expect((await command('dead', 'replay', ...args)).code).toBe(2);
  }
});

/** The newest first. */
async function audited(): Promise<readonly string[]> {
  const { entries } = JSON.parse((await command('audit', '--json')).out) as {
    entries: { action: string; count: number | null }[];
  };
  return entries.map(({ action, count }) => `${action} ${count}`);
}

const forget = () => redis.client.del(`{${QUEUE}}:dead:index`, `{${QUEUE}}:dead:letters`);

test('dead export and dead import: a file that is there whole, and back; a bad line stops it before it begins', async () => {
  await bury('{"message_id":"a","client_id":"c"}');
  await bury('not JSON \u009b31m');
  const lines = await command('dead', 'export');
  expect(lines.out.split('\n').map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
    '{"message_id":"a","client_id":"c"}',
    'not JSON \u009b31m',
  ]);
  expect(lines.out).not.toContain('\u009b');
  expect((await command('dead', 'export', '--file', 'l.jsonl')).out).toBe('2 dead letters exported to l.jsonl.');
  expect(readFileSync(join(cwd, 'l.jsonl'), 'utf8').trimEnd()).toBe(lines.out);
  expect(statSync(join(cwd, 'l.jsonl')).mode & 0o777).toBe(0o600);
  expect(await command('dead', 'export', '--file', 'l.jsonl')).toMatchObject({
    code: 1,
    err: 'ERROR: l.jsonl is there already; name another, or --force to replace it.',
  });
  expect((await command('dead', 'export', '--client', 'c', '--file', 'c.jsonl', '--json')).out).toContain(
    '"exported": 1',
  );
  expect((await command('dead', 'export', '--file', 'nowhere/l.jsonl')).err).toMatch(
    /^ERROR: nowhere\/l.jsonl cannot be/,
  );
  expect((await command('dead', 'export', '--force')).code).toBe(2);

  await forget();
  expect((await command('dead', 'import', 'l.jsonl', '--dry-run')).out).toBe('2 dead letters could be imported.');
  expect((await places(redis.client)).dead).toEqual([]);
  expect((await command('dead', 'import', 'l.jsonl')).out).toBe('2 dead letters imported.');
  expect((await command('dead', 'import', 'l.jsonl')).out).toBe('0 dead letters imported, 2 were there already.');
  expect(await audited()).toEqual(['import 0', 'import null', 'import 2', 'import null']);
  expect((await command('dead', 'export')).out).toBe(lines.out);
  await forget();
  const [first = ''] = lines.out.split('\n');
  writeFileSync(join(cwd, 'bad.jsonl'), `${first}\n{"key":"a"}\n`);
  expect(await command('dead', 'import', 'bad.jsonl')).toMatchObject({
    code: 1,
    err: 'ERROR: Line 2 of bad.jsonl is no exported dead letter: it must have one of "message", "message_base64" and "stored_base64". Nothing was imported.',
  });
  expect((await places(redis.client)).dead).toEqual([]);
  expect((await withInput(`${first}\n{}\n`, 'dead', 'import', '-')).err).toMatch(
    /Line 2 of stdin is no exported dead letter: its "key" .* The 1 dead letter before it was imported, and nothing/,
  );
  expect((await places(redis.client)).dead).toHaveLength(1);
});

const idsOf = (messages: readonly string[]): string[] =>
  messages.map((text) => (JSON.parse(text) as { message_id: string }).message_id);

test('send: one from flags or JSON, many, from lines; nothing that is malformed', async () => {
  const one = await command('send', '--sender', '+491511', '--body', 'Hällo');
  const [made] = await redis.client.lrange(QUEUE, 0, -1);
  expect(JSON.parse(made ?? '')).toMatchObject({ sender_number: '+491511', message_body: 'Hällo', attempt_count: 0 });
  expect(made).toMatch(/^\{"message_id":"[0-9a-f-]{36}",.*"queued_at":"\d{4}-\d\d-\d\dT[\d:.]+Z"/);
  expect(one.out).toBe(`1 message sent: ${idsOf([made ?? '']).join()}`);

  await redis.client.del(QUEUE);
  const three = await command('send', '{"big":12345678901234567890}', '--count', '3');
  const sent = await redis.client.lrange(QUEUE, 0, -1);
  expect(new Set(idsOf(sent)).size).toBe(3);
  expect(three.out).toBe(['3 messages sent:', ...idsOf(sent.toReversed())].join('\n'));
  expect(sent.every((text) => text.includes('"big":12345678901234567890'))).toBe(true);

  await redis.client.del(QUEUE);
  const many = JSON.parse((await command('send', '--count', '1200', '--json')).out) as { message_ids: string[] };
  expect(many).toMatchObject({
    sent: 1_200,
    message_ids: idsOf((await redis.client.lrange(QUEUE, 0, -1)).toReversed()),
  });
  expect((await command('send', '--count', '21')).out).toBe('21 messages sent; --json tells their ids.');
  expect(await audited()).toEqual(['send 21', 'send 1200', 'send 3', 'send 1']);
  for (const args of [['[]'], ['{"message_id":".."}'], ['{}', '--body', 'x'], ['--count', '0']]) {
    expect((await command('send', ...args)).code).toBe(2);
  }
  expect(await command('send', '--file', 'missing.jsonl')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/missing.jsonl cannot be read/) as string,
  });
});

test('send --file: of a file with a bad line nothing is sent, of a pipe what came before it, and both say so', async () => {
  const good = '\ufeff{"message_id":"1","body":"a\u2028b"}\n\n{"message_id":"2"}\r\n';
  writeFileSync(join(cwd, 'good.jsonl'), good);
  expect((await command('send', '--file', 'good.jsonl')).out).toBe('2 messages sent:\n1\n2');
  expect(idsOf(await redis.client.lrange(QUEUE, 0, -1))).toEqual(['2', '1']);

  await redis.client.del(QUEUE);
  const lines = ['{"message_id":"3"}', 'nonsense', '{"message_id":"4"}', '{"message_id":""}', ''];
  writeFileSync(join(cwd, 'bad.jsonl'), lines.join('\n'));
  expect(await command('send', '--file', 'bad.jsonl')).toEqual({
    code: 1,
    out: '',
    err: 'ERROR: Line 2 of bad.jsonl is no message: it is not valid JSON, and one other is none. Nothing was sent.',
  });
  expect(await redis.client.exists(QUEUE)).toBe(0);
  expect(await withInput(lines.join('\n'), 'send', '--file', '-')).toMatchObject({
    code: 1,
    err: 'ERROR: Line 2 of stdin is no message: it is not valid JSON. The 1 message before it was sent, and nothing behind it.',
  });
  expect(idsOf(await redis.client.lrange(QUEUE, 0, -1))).toEqual(['3']);
  expect((await withInput('[]', 'send', '--file', '-')).err).toMatch(/not a JSON object\. Nothing was sent\.$/);
  writeFileSync(join(cwd, 'latin1.jsonl'), Buffer.from('{"message_id":"\xe4"}', 'latin1'));
  expect((await command('send', '--file', 'latin1.jsonl')).err).toMatch(
    /Line 1 .* is no message: it is not valid UTF-8/,
  );
});

/** A worker that lives: its lease changes, whatever the time is. */
function renewing(consumer: string): Repetition {
  return repeat(async () => void (await redis.client.zincrby(`{${QUEUE}}:consumers`, 1, consumer)), 200);
}

test('rollback: a lease that stands still is over after 13 s, and that it is watched is said', async () => {
  await redis.client.zadd(`{${QUEUE}}:consumers`, Date.now() + 3.2e11, 'w@h/0.1.a');
  await redis.client.lpush(`{${QUEUE}}:processing:w@h/0.1.a`, 'claim');
  const ran = await command('rollback');
  expect(ran).toMatchObject({ code: 0, out: expect.stringMatching(/^1 claims/) as string });
  expect(ran.err).toMatch(/watching the leases for 13 s: \d+ s to go/);
});

test('rollback: refuses while leases run, and gives everything back', async () => {
  await redis.client.lpush(`{${QUEUE}}:processing:w@h/0.1.a`, 'claim');
  await redis.client.zadd(`{${QUEUE}}:retry`, 1, '0123456789ab1 id:retry');
  await bury('{"message_id":"dead","attempt_count":9}');
  const lease = renewing('w@h/0.1.a');
  expect(await command('rollback')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/1 worker holds a lease .*--force/) as string,
  });
  await lease.stop();
  expect((await command('rollback', '--dry-run', '--with-dead')).out).toMatch(
    /^1 claims, 1 retries and 1 dead letters would/,
  );
  expect(JSON.parse((await command('rollback', '--force', '--with-dead', '--json')).out)).toMatchObject({
    claims: 1,
    retries: 1,
    dead: 1,
    dead_left: 0,
  });
  expect((await places(redis.client)).waiting).toEqual(['{"message_id":"dead","attempt_count":0}', 'retry', 'claim']);
});

test('rollback --to-v1: dead letters go to the list of version 1.0, and stay dead', async () => {
  await bury('{"message_id":"a"}');
  expect((await command('dead', 'list')).out).toContain('1 shown of 1');
  expect(await redis.client.llen(`{${QUEUE}}:dead`)).toBe(0);
  const lease = renewing('w@h/0.1.a');
  expect((await command('rollback', '--to-v1')).code).toBe(1);
  await lease.stop();
  expect((await command('rollback', '--to-v1', '--with-dead')).code).toBe(2);
  expect((await command('rollback', '--to-v1', '--dry-run')).out).toBe('1 dead letters would go to the list.');
  await redis.client.del(`{${QUEUE}}:consumers`);
  expect((await command('rollback', '--to-v1')).out).toBe('1 dead letters are in the list of version 1.0.');
  expect(await redis.client.llen(`{${QUEUE}}:dead`)).toBe(1);
});

test('certs: usable files, private keys, never written over without --force', async () => {
  expect((await command('certs', '--host', 'localhost', '10.0.0.5')).code).toBe(0);
  const tls = {
    certFile: join(cwd, 'certs/worker.crt'),
    keyFile: join(cwd, 'certs/worker.key'),
    caFile: join(cwd, 'certs/ca.crt'),
  };
  readCredentials({ ...tls, enabled: true, allowInsecureKeyMode: false }, true, Date.now());
  expect(new X509Certificate(readFileSync(tls.certFile)).subject).toBe('CN=worker');
  for (const name of ['ca', 'server', 'worker'])
    expect(statSync(join(cwd, `certs/${name}.key`)).mode & 0o777).toBe(0o600);
  expect(await command('certs')).toMatchObject({ code: 1, err: expect.stringMatching(/--force to replace/) as string });
  expect(JSON.parse((await command('certs', '--force', '--json')).out)).toMatchObject({
    directory: join(cwd, 'certs'),
  });
});

test('without Redis each says where it looked, and ends with 1', async () => {
  const env = { REDIS_HOST: '127.0.0.1', REDIS_PORT: '1' };
  for (const args of [['dead', 'list'], ['send', '{}'], ['rollback']]) {
    const ran = await runCommand(args, { env, cwd });
    expect(ran).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^ERROR: Cannot connect to Redis at 127.0.0.1:1/) as string,
    });
  }
});

test('completion: scripts that the shells take', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out } = await command('completion', shell);
    expect({ shell, code }).toEqual({ shell, code: 0 });
    expect(out).toContain('rollback');
  }
  expect((await command('completion', 'cmd')).code).toBe(2);
});

test.each([
  ['', 'rel', ['reload']],
  ['dead', 're', ['replay']],
  ['dead replay', '--dry', ['--dry-run']],
  ['status', '--w', ['--watch']],
  ['dead replay --reason malformed', '--ol', ['--older-than']],
])('completion in bash: %s %s', async (typed, current, expected) => {
  const { out } = await command('completion', 'bash');
  const words = ['message-broker-worker', ...typed.split(' ').filter(Boolean), current];
  const script = `${out}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_message_broker_worker; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', script]);
  expect(stdout.trim().split('\n')).toEqual(expected);
});

test('no id, error or name drives the terminal, in JSON neither, and the JSON says the same', async () => {
  const id = 'm\u001b]0;owned\u0007\u009b31m\u202e\u2028x';
  await redis.client.lpush(
    `{${QUEUE}}:dead`,
    JSON.stringify({ message_id: id, reason: 'malformed', error: id, message: id }),
  );
  const outputs = [
    await command('dead', 'list'),
    await command('dead', 'list', '--json'),
    await command('dead', 'show', '1'),
    await command('dead', 'show', '1', '--json'),
    await command('dead', 'show', id),
    await command('status', `--${id}`),
    await command('send', '--count', id),
    await command('scale', id),
    await command('status', '--socket', `/tmp/${id}`),
    await command('check', '--redis-host', id),
    await command('send', '--file', id),
    await command(id),
  ];
  for (const { out, err } of outputs) expect(out + err).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
  const shown = JSON.parse(outputs[3]?.out ?? '') as { readonly error: string };
  expect(shown.error).toBe(id);
});
