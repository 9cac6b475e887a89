import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { isCancelMarker } from '../../../src/domain/cancelled.js';
import { message, places, QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { runCommand, type Ran } from '../fixtures/operated.js';

const redis = useRedis();
const RETRY = `{${QUEUE}}:retry`;
let cwd: string;

beforeEach(() => (cwd = mkdtempSync(join(tmpdir(), 'cli-'))));
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const command = (...args: string[]): Promise<Ran> =>
  runCommand(args, { env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) }, cwd, input: '' });

let failures = 0;
/** It failed so long ago, and is due an hour after that. */
async function failed(id: string, agoMs: number): Promise<void> {
  const [seconds = 0] = (await redis.client.time()).map(Number);
  const member = `0123456789ab${failures++} ${id} 3600000:${message(id, 1)}`;
  await redis.client.zadd(RETRY, seconds * 1_000 - agoMs + 3_600_000, member);
}

const waiting = async () => (await places(redis.client)).waiting.filter((raw) => !isCancelMarker(Buffer.from(raw)));
const audited = async (): Promise<string[]> => {
  const { entries } = JSON.parse((await command('audit', '--json')).out) as {
    entries: { action: string; count: number | null }[];
  };
  return entries.flatMap(({ action, count }) => (count === null ? [] : [`${action} ${count}`]));
};

test('retry: by id, by filter, all; a dry run says which; it is audited', async () => {
  await failed('long-ago', 20_000);
  // by a clock that has run ahead: the test may take its time
  await failed('just-now', -300_000);
  expect((await command('message', 'retry')).code).toBe(2);
  const asked = await command('message', 'retry', '--all');
  expect([asked.code, asked.err]).toEqual([2, expect.stringMatching(/no terminal to ask at: add --yes/)]);
  const dry = await command('message', 'retry', '--dry-run');
  expect(dry.out).toBe('retry    long-ago\nretry    just-now\n2 messages would be made due.');
  expect((await command('message', 'retry', 'long-ago')).out).toBe('1 message made due.');
  const all = await command('message', 'retry', '--all', '--yes');
  expect(all.out).toMatch(
    /^1 message made due\.\n1 of them within \d{2,3} s: .*\n1 are due as soon as they may be already\.$/,
  );
  expect(JSON.parse((await command('message', 'retry', '--all', '--yes', '--json')).out)).toMatchObject({
    schema_version: 1,
    matched: 2,
    done: 0,
    already_due: 2,
  });
  expect(await audited()).toEqual(['retry 0', 'retry 1', 'retry 1']);
});

test('cancel: to the dead letters; what is nowhere or claimed is said, with exit code 1', async () => {
  await redis.client.lpush(QUEUE, message('a'), message('b'), '{"message_id":"c","client_id":"poisoned"}');
  await failed('r', 20_000);
  await redis.client.zadd(`{${QUEUE}}:consumers`, 9e15, 'worker-1@host/0.1.a');
  await redis.client.lpush(`{${QUEUE}}:processing:worker-1@host/0.1.a`, message('claimed'));
  const some = await command('message', 'cancel', 'a', 'claimed', 'nowhere');
  expect(some.out).toBe('1 message cancelled.');
  expect(some.err).toMatch(/Message claimed is claimed by a worker[^]*Message nowhere is not in Redis/);
  expect(some.code).toBe(1);
  const twice = await command('message', 'cancel', 'a');
  expect([twice.code, twice.err]).toEqual([1, expect.stringMatching(/Message a is a dead letter/)]);
  expect((await command('message', 'cancel', '--client', 'poisoned', '--yes')).out).toBe('1 message cancelled.');
  expect((await command('message', 'cancel', '--in', 'retry', '--all', '--yes')).out).toBe('1 message cancelled.');
  expect(await waiting()).toEqual([message('b')]);
  const listed = JSON.parse((await command('dead', 'list', '--reason', 'cancelled', '--json')).out) as {
    letters: { message_id: string; attempt_count: number }[];
  };
  expect(listed.letters.map((letter) => [letter.message_id, letter.attempt_count])).toEqual([
    ['r', 1],
    ['c', 0],
    ['a', 0],
  ]);
});

test('erase: nothing of it is left, and the audit does not name it', async () => {
  await redis.client.lpush(QUEUE, message('to-erase'), message('stays'));
  await failed('to-erase', 20_000);
  expect((await command('message', 'erase', 'to-erase')).code).toBe(2);
  const { out, code } = await command('message', 'erase', 'to-erase', '--yes');
  expect([code, out]).toEqual([0, '2 copies and 0 dead letters of message to-erase are deleted.']);
  const everything = await Promise.all(
    (await redis.client.keys('*')).map(async (key) => String(await redis.client.dumpBuffer(key))),
  );
  expect(everything.filter((text) => text.includes('to-erase'))).toEqual([]);
  expect(await waiting()).toEqual([message('stays')]);
});
