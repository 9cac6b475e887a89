import { expect, test } from 'vitest';

import { useRedis } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import { pidsOf, useSupervised } from '../../fixtures/supervised.js';

const redis = useRedis();
const supervise = useSupervised(() => redis.port);

test('SIGHUP replaces every worker, with never more than one away', async () => {
  const { untilReady, untilStatus, program, status, write } = await supervise({ workers: 3 });
  const before = await untilReady(3);
  const fewest: number[] = [];
  write({ workers: 3, faults: 'slow-drain' });
  program.signal('SIGHUP');
  await waitFor(
    async () => {
      const now = await status();
      fewest.push(now.workers.filter(({ consuming }) => consuming).length);
      return now.supervisor.last_reload?.ok;
    },
    { what: 'the reload' },
  );
  const after = await untilStatus('new processes', ({ workers }) => workers.every(({ state }) => state === 'ready'));
  expect(Math.min(...fewest)).toBeGreaterThanOrEqual(2);
  expect(pidsOf(after).filter((pid) => pidsOf(before).includes(pid))).toEqual([]);
  expect(after.workers.map(({ id, restarts }) => [id, restarts])).toEqual([
    ['worker-1', 0],
    ['worker-2', 0],
    ['worker-3', 0],
  ]);
});

test('SIGHUP changes the number of workers', async () => {
  const { untilReady, untilStatus, program, write } = await supervise({ workers: 3 });
  await untilReady(3);
  write({ workers: 1 });
  program.signal('SIGHUP');
  await untilStatus('the reload', ({ supervisor }) => supervisor.last_reload?.ok === true);
  await untilReady(1);
  write({ workers: 2 });
  program.signal('SIGHUP');
  await untilReady(2);
});

test('a configuration with problems changes nothing, and every problem is said', async () => {
  const { untilReady, untilStatus, program, write, get } = await supervise({ workers: 2 });
  const before = await untilReady(2);
  write({
    problems: ['WORKER_CONCURRENCY is "many"; it must be a number.', 'REDIS_PORT is 99999; it must be a port.'],
  });
  program.signal('SIGHUP');
  const after = await untilStatus('the reload', ({ supervisor }) => supervisor.last_reload?.ok === false);
  await program.waitForLine(/ERROR.*WORKER_CONCURRENCY is "many"/);
  await program.waitForLine(/ERROR.*REDIS_PORT is 99999/);
  expect(pidsOf(after)).toEqual(pidsOf(before));
  expect(after.supervisor.last_reload?.reason).toContain('REDIS_PORT');
  expect((await get('/metrics')).text).toContain('supervisor_reloads_total{result="failed"} 1');
  expect((await get('/ready')).status).toBe(200);
});

test.each([
  { faults: 'boot-failed:E_CREDENTIALS', says: /could not start: it was told to fail\. The old worker serves on\./ },
  { faults: 'dies-at-boot', says: /exited before it had started with code 1\. The old worker serves on\./ },
  { faults: 'no-redis', says: /cannot reach Redis at 127\.0\.0\.1:\d+ with the new configuration/ },
])('a canary that fails before the hand-over ($faults) leaves the old set alone', async ({ faults, says }) => {
  const { untilReady, untilStatus, program, write } = await supervise({ workers: 2 });
  const before = await untilReady(2);
  write({ workers: 2, faults });
  program.signal('SIGHUP');
  await program.waitForLine(says);
  const after = await untilStatus('the failed reload', ({ supervisor }) => supervisor.reloads_failed === 1);
  expect(pidsOf(after)).toEqual(pidsOf(before));
  // The old configuration is what a restart gets.
  process.kill(after.workers[0]?.pid ?? 0, 'SIGKILL');
  await untilStatus('the restart', ({ workers }) => workers[0]?.restarts === 1 && workers[0].state === 'ready');
});

test('a canary that is not ready after the hand-over gives its place back', async () => {
  const { untilReady, untilStatus, program, write } = await supervise({ workers: 2 });
  const before = await untilReady(2);
  write({ workers: 2, faults: 'never-ready' });
  program.signal('SIGHUP');
  await program.waitForLine(/is not ready after 15 s \(it was told to be\)\. The old configuration serves on\./);
  const after = await untilStatus('two ready workers', ({ workers }) =>
    workers.every(({ state }) => state === 'ready'),
  );
  expect(after.workers[1]?.pid).toBe(before.workers[1]?.pid);
  expect(after.supervisor.last_reload?.ok).toBe(false);
});

test('the log level changes at once', async () => {
  const { untilReady, untilStatus, program, write } = await supervise();
  await untilReady(1);
  write({ logLevel: 'ERROR' });
  program.signal('SIGHUP');
  await untilStatus('the reload', ({ supervisor }) => supervisor.reloads_succeeded === 1);
  program.signal('SIGUSR2');
  program.signal('SIGTERM');
  await program.waitForExit();
  expect(program.lines.filter(({ text }) => /Status:|graceful shutdown/.test(text))).toEqual([]);
});

test('SIGTERM during a reload stops everything', async () => {
  const { untilReady, program, write } = await supervise({ workers: 2 });
  await untilReady(2);
  write({ workers: 2, faults: 'never-boots' });
  program.signal('SIGHUP');
  await program.waitForLine(/Reloading the configuration/);
  program.signal('SIGTERM');
  expect((await program.waitForExit()).code).toBe(0);
  expect(program.descendants()).toEqual([]);
});

test('a worker over its memory limit is replaced', async () => {
  const { untilReady, untilStatus, program } = await supervise({ workers: 1, maxMemoryBytes: 1_000_000 });
  const before = await untilReady(1);
  await program.waitForLine(/worker-1 .* uses \d+ MiB, more than worker\.max_memory allows; replacing it/);
  await untilStatus('another process', ({ workers }) => workers[0]?.pid !== before.workers[0]?.pid);
});
