/** What the commands answer while something else goes on: they say what is. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { useRedis } from '../../support/redis/redis.js';
import { runCommand, type Ran } from '../fixtures/operated.js';
import { pidsOf, useSupervised, type Supervised } from '../fixtures/supervised.js';

const redis = useRedis();
const supervise = useSupervised(() => redis.port);

const run = ({ socketPath, directory }: Supervised, ...args: string[]): Promise<Ran> =>
  runCommand([...args, '--socket', socketPath], { env: {}, cwd: directory });

describe('while the supervisor stops', () => {
  test.each([['reload'], ['scale', '2'], ['restart', 'worker-1']])('%s is refused at once', async (...args) => {
    const supervised = await supervise({ faults: 'ignores-drain', shutdownTimeoutMs: 10_000 });
    await supervised.untilReady(1);
    supervised.program.signal('SIGTERM');
    await supervised.program.waitForLine(/initiating graceful shutdown/);
    const { code, err } = await run(supervised, ...args);
    expect([code, err]).toEqual([1, 'ERROR: The supervisor is stopping.']);
    // it was an answer, not the end of the connection
    expect(supervised.program.exit).toBeUndefined();
    supervised.program.signal('SIGTERM');
  });

  test('who waits for a reload is told, and that is no failure of the new configuration', async () => {
    const supervised = await supervise({ workers: 2 });
    await supervised.untilReady(2);
    const reloading = run(supervised, 'reload');
    await supervised.untilStatus('the reload', ({ supervisor }) => supervisor.state === 'reloading');
    supervised.program.signal('SIGTERM');
    expect(await reloading).toMatchObject({ code: 1, err: 'ERROR: The supervisor is stopping.' });
    expect(await supervised.program.waitForExit()).toEqual({ code: 0, signal: null });
    expect(supervised.program.lines.filter(({ text }) => /ran out of memory/.test(text))).toEqual([]);
  });
});

describe('the number of workers', () => {
  test('that is asked for while a reload gathers is there in the end', async () => {
    const supervised = await supervise({ workers: 2 });
    await supervised.untilReady(2);
    const reloading = run(supervised, 'reload');
    const scaled = await run(supervised, 'scale', '3');
    expect(scaled).toMatchObject({ code: 0, out: 'Workers: 2 → 3' });
    const reloaded = await reloading;
    expect(reloaded.code).toBe(0);
    expect(reloaded.out).toContain('Note: The number of workers stays 3, as it was scaled; WORKER_COUNT is still 2.');
    expect((await supervised.untilReady(3)).supervisor.workers_wanted).toBe(3);
  });

  test('that is made smaller in the middle of a reload: both do what they say', async () => {
    const supervised = await supervise({ workers: 4 });
    const before = await supervised.untilReady(4);
    const reloading = run(supervised, 'reload');
    await supervised.untilStatus(
      'the first new process',
      ({ workers: [first] }) => first?.state === 'ready' && !pidsOf(before).includes(first.pid),
    );
    expect(await run(supervised, 'scale', '2')).toMatchObject({ code: 0, out: 'Workers: 4 → 2' });
    const { code, out } = await reloading;
    expect([code, out]).toEqual([0, expect.stringContaining('Workers: 4 → 2')]);
    const after = await supervised.untilReady(2);
    expect(pidsOf(after).some((pid) => pidsOf(before).includes(pid))).toBe(false);
    expect(after.workers.map(({ restarts }) => restarts)).toEqual([0, 0]);
  });

  test('that is changed twice: the former asker is told', async () => {
    const supervised = await supervise({ workers: 1, faults: 'slow-drain' });
    await supervised.untilReady(1);
    const first = run(supervised, 'scale', '40');
    await supervised.untilStatus('the first', ({ supervisor }) => supervisor.workers_wanted === 40);
    expect((await run(supervised, 'scale', '1')).code).toBe(0);
    expect(await first).toMatchObject({
      code: 1,
      err: 'ERROR: The number was changed again meanwhile: 1 workers are wanted now.',
    });
  });
});

describe('with one worker', () => {
  test('/ready is 200 throughout a reload', async () => {
    const supervised = await supervise({ workers: 1, faults: 'slow-to-claim' });
    const before = await supervised.untilReady(1);
    supervised.program.signal('SIGHUP');
    const looks: number[] = [];
    for (let done = false; !done;) {
      looks.push((await supervised.get('/ready')).status);
      done = (await supervised.status()).supervisor.last_reload?.ok === true;
    }
    expect(new Set(looks)).toEqual(new Set([200]));
    expect(pidsOf(await supervised.untilReady(1))).not.toEqual(pidsOf(before));
  });
});

describe('a restart of a worker', () => {
  test('needs none of the files that Node was started with', async () => {
    const supervised = await supervise({
      files: { 'start.env': 'A=1\n', 'preload.cjs': '' },
      nodeFlags: ['--env-file=start.env', '--require', './preload.cjs', '--max-old-space-size=200'],
    });
    const before = await supervised.untilReady(1);
    for (const name of ['start.env', 'preload.cjs']) rmSync(join(supervised.directory, name));
    process.kill(before.workers[0]?.pid ?? 0, 'SIGKILL');
    await supervised.untilStatus(
      'another process',
      ({ workers }) => workers[0]?.state === 'ready' && workers[0].restarts === 1,
    );
    await supervised.program.waitForLine(/WARNING.* start without --require \.\/preload\.cjs from now on/);
  });
});
