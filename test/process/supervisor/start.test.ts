import { createServer, type Server } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

import { useRedis } from '../../support/redis/redis.js';
import { pidsOf, useSupervised } from '../fixtures/supervised.js';

const redis = useRedis();
const supervise = useSupervised(() => redis.port);

test.each(['E_CONFIG', 'E_CREDENTIALS', 'E_REDIS_UNUSABLE'])('%s at boot ends with 78 and no loop', async (code) => {
  const { program } = await supervise({ workers: 3, faults: `boot-failed:${code}` });
  const exit = await program.waitForExit();
  expect(exit.code).toBe(78);
  expect(program.descendants()).toEqual([]);
  const said = program.lines.filter(({ text }) =>
    /No worker can start: worker-\d could not start: it was told/.test(text),
  );
  expect(said).toHaveLength(1);
  expect(program.lines.filter(({ text }) => text.includes('starting it again'))).toEqual([]);
});

test('a child that dies at boot is tried three times, then the exit code is 1', async () => {
  const { program } = await supervise({ faults: 'dies-at-boot' });
  expect((await program.waitForExit()).code).toBe(1);
  await program.waitForLine(/No worker can start: worker-1 died 3 times before it had started/);
});

test('a boot failure after a worker was ready ends nothing, and health says why', async () => {
  const { untilReady, untilStatus, program, write, get } = await supervise({ workers: 1 });
  await untilReady(1);
  write({ workers: 1, faults: 'boot-failed:E_CREDENTIALS' });
  program.signal('SIGHUP');
  await untilStatus('the failed reload', ({ supervisor }) => supervisor.reloads_failed === 1);
  expect((await get('/health')).text).toContain('it was told to fail');
  expect((await get('/health')).status).toBe(200);
});

test('a second start is refused with the pid of the first', async () => {
  const { untilReady, program, startAgain } = await supervise();
  const before = await untilReady(1);
  const second = startAgain();
  expect((await second.waitForExit()).code).toBe(1);
  expect(second.lines.map(({ text }) => text)).toEqual([
    expect.stringMatching(
      new RegExp(`^ERROR: A supervisor is running already \\(pid ${program.pid}, .*SUPERVISOR_PORT\\.$`),
    ),
  ]);
  expect(pidsOf(await untilReady(1))).toEqual(pidsOf(before));
});

test('a stale pidfile is taken over', async () => {
  const first = await supervise();
  await first.untilReady(1);
  first.program.signal('SIGTERM');
  await first.program.waitForExit();
  // pid 1 lives, but it is no supervisor.
  writeFileSync(join(first.directory, 'run', `supervisor-${first.port}.pid`), '1\n');
  first.startAgain();
  await first.untilReady(1);
});

let blocker: Server | undefined;
afterEach(async () => {
  await new Promise((resolve) => (blocker ? blocker.close(resolve) : resolve(undefined)));
  blocker = undefined;
});

test('a taken supervisor port is an error, and delivery goes on', async () => {
  const first = await supervise();
  await first.untilReady(1);
  first.program.signal('SIGTERM');
  await first.program.waitForExit();
  blocker = createServer();
  await new Promise<void>((resolve) => blocker?.listen(first.port, '127.0.0.1', resolve));
  const again = first.startAgain();
  await again.waitForLine(new RegExp(`ERROR.*Port ${first.port} on 127\\.0\\.0\\.1 \\(SUPERVISOR_PORT\\) is taken`));
  await again.waitForLine(/worker-1 \(pid \d+\) is ready/);
  await new Promise((resolve) => blocker?.close(resolve));
  blocker = undefined;
  await again.waitForLine(/Supervisor listens on/);
  await first.untilReady(1);
});

test('routes answer in JSON, and unknown ones say so', async () => {
  const { untilReady, get } = await supervise();
  await untilReady(1);
  expect(JSON.parse((await get('/health')).text)).toMatchObject({ status: 'healthy' });
  expect(JSON.parse((await get('/ready')).text)).toEqual({ ready: true, reasons: [], warnings: [], paused: null });
  expect(await get('/nothing')).toMatchObject({ status: 404 });
  expect(await get('/health', 'POST')).toMatchObject({ status: 405 });
  const metrics = (await get('/metrics')).text;
  expect(metrics).toContain('supervisor_workers{state="ready"} 1');
  expect(metrics).toMatch(/^redis_queue_length 0$/m);
});

test('while Redis is away the supervisor waits, is not ready, and says when it is back', async () => {
  const { untilReady, get, program } = await supervise();
  await untilReady(1);
  await redis.process.kill();
  await program.waitForLine(/ERROR.*Redis cannot be reached/);
  expect((await get('/metrics')).text).not.toMatch(/^redis_queue_length \d/m);
  await redis.process.restart();
  await program.waitForLine(/Redis answers again after [\d.]+ s/);
});
