import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { useMainServer } from '../../support/main-server/main-server.js';
import { useRedis } from '../../support/redis/redis.js';
import { startProgram, useProgram } from '../../support/program/program.js';
import { runCommand, startOperated, TOKEN, type Operated } from '../fixtures/operated.js';

const redis = useRedis();
const main = useMainServer();
useProgram();

async function operate(env: Record<string, string> = {}): Promise<Operated> {
  const operated = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url, env });
  await operated.untilReady();
  return operated;
}

test('status is a table, JSON, or over TCP; --watch without a terminal is a line a second', async () => {
  const { command, port, socketPath, env, program } = await operate();
  const shown = await command('status');
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(shown.out).toMatch(
    /^FLOWING .*\nqueue message_queue .*\n\n0 waiting .* 0 dead\n[\s\S]*WORKER[\s\S]*worker-1 +\d+ +ready/,
  );
  expect(JSON.parse((await command('status', '--json')).out)).toMatchObject({ workers: [{ id: 'worker-1' }] });
  expect((await runCommand(['status', '--socket', socketPath], { env: {}, cwd: program.cwd })).code).toBe(0);
  expect((await command('status', '--url', `http://127.0.0.1:${port}`)).out).toMatch(/^FLOWING/);
  expect((await command('status', '--url', 'nonsense')).code).toBe(2);
  expect((await command('status', '--watch', '--json')).code).toBe(2);

  const watch = startProgram({ args: ['status', '--watch'], env, cwd: program.cwd });
  await watch.waitForLine(/FLOWING {2}0\.0\/s {2}0 waiting, /);
  watch.signal('SIGINT');
  expect(await watch.waitForExit()).toEqual({ code: 0, signal: null });
  expect(watch.lines.map(({ text }) => text).join('')).not.toContain('\x1b');
});

test('reload reports each worker, and ends with 1 when it fails', async () => {
  const { command, program, socketPath } = await operate();
  const reloaded = await command('reload');
  expect(reloaded).toMatchObject({ code: 0, err: '' });
  expect(reloaded.out).toMatch(/^worker-1 has a new process \(pid \d+\), ready\nReloaded/);
  writeFileSync(join(program.cwd, '.env'), 'WORKER_CONCURRENCY=lots\n');
  expect(await command('reload')).toMatchObject({ code: 78, err: expect.stringContaining('--socket') as string });
  const failed = await command('reload', '--socket', socketPath);
  expect(failed).toMatchObject({ code: 1 });
  expect(failed.err).toMatch(/^ERROR: The reload failed: WORKER_CONCURRENCY \(.env\) is "lots"/);
  expect(failed.out).toMatch(/^worker-1 kept its process/);
});

test('scale, restart and stop wait for what they ask for', async () => {
  const { command, program } = await operate();
  expect(await command('scale', '2')).toMatchObject({ code: 0, out: 'Workers: 1 → 2' });
  expect((JSON.parse((await command('status', '--json')).out) as { workers: unknown[] }).workers).toHaveLength(2);
  expect(JSON.parse((await command('scale', '1', '--json')).out)).toEqual({ workers_before: 2, workers_wanted: 1 });
  expect((await command('scale', 'many')).code).toBe(2);
  expect(await command('scale', '0')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/"0" is no number of workers; give 1 to/) as string,
  });
  expect((await command('restart', 'worker-1')).out).toMatch(/^worker-1 has a new process \(pid \d+\)$/);
  expect(await command('restart', 'nobody/../x')).toMatchObject({ code: 1 });
  expect(await command('stop')).toMatchObject({ code: 0, out: `The supervisor (pid ${program.pid}) has stopped.` });
  expect(program.exit).toEqual({ code: 0, signal: null });
  for (const args of [['status'], ['reload'], ['scale', '2'], ['restart', 'worker-1'], ['stop']]) {
    expect(await command(...args)).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringMatching(/^ERROR: No supervisor/) as string,
    });
  }
});

test('stop --now hands back what is in flight; the token opens TCP', async () => {
  main.server.faults.post.delayMs = 20_000;
  const { command, port, program } = await operate({ SUPERVISOR_ADMIN_TOKEN: TOKEN });
  expect((await command('send', '{"message_id":"held"}')).code).toBe(0);
  expect((await command('scale', '1', '--url', `http://127.0.0.1:${port}`)).code).toBe(0);
  expect((await command('stop', '--now')).code).toBe(0);
  expect(program.exit?.code).toBe(0);
  expect(await redis.client.lrange('message_queue', 0, -1)).toEqual([expect.stringContaining('held')]);
});

test('a supervisor that does not answer in time is not taken for one that is not there', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  try {
    const { port } = silent.address() as AddressInfo;
    const { code, err } = await runCommand(['status', '--url', `http://127.0.0.1:${port}`], { env: {}, cwd: '/' });
    expect(err).toMatch(/^ERROR: The supervisor at .* is there, but has not answered in time; try again\./);
    expect(code).toBe(1);
  } finally {
    silent.close();
  }
});

test('every command has help with an example', async () => {
  const commands = [
    'status',
    'reload',
    'scale',
    'restart',
    'stop',
    'check',
    'message',
    'message retry',
    'message cancel',
    'message erase',
    'dead',
    'dead list',
    'dead show',
    'dead replay',
    'dead purge',
    'send',
    'certs',
    'rollback',
    'completion',
  ];
  for (const words of commands) {
    const { code, out } = await runCommand([...words.split(' '), '--help'], { env: {}, cwd: '/' });
    expect({ words, code }).toEqual({ words, code: 0 });
    expect(out).toContain(`$ message-broker-worker`);
  }
});
