import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { consumerName, redisKeys } from '../../../src/queue/keys.js';
import { isAlive } from '../../support/program/processes.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { pidsOf, useSupervised } from '../fixtures/supervised.js';

const redis = useRedis();
const supervise = useSupervised(() => redis.port);

describe('workers', () => {
  test('have ids from 1 and a port each, and are ready', async () => {
    const { untilReady, metricsPort, get } = await supervise({ workers: 3 });
    const { workers, supervisor } = await untilReady(3);
    expect(workers.map(({ id }) => id)).toEqual(['worker-1', 'worker-2', 'worker-3']);
    expect(workers.map((worker) => worker.metrics_port)).toEqual([metricsPort, metricsPort + 1, metricsPort + 2]);
    expect(supervisor.state).toBe('running');
    expect((await get('/ready')).status).toBe(200);
  });

  test('are started again after kill -9, a tenth of a second later, and their counts go on', async () => {
    const { untilReady, untilStatus, program, get } = await supervise({ workers: 2 });
    const before = await untilReady(2);
    const scrapedBefore = deliveredBy('worker-1', (await get('/metrics/workers')).text);
    process.kill(before.workers[0]?.pid ?? 0, 'SIGKILL');
    await program.waitForLine(/worker-1 \(pid \d+\) was killed by SIGKILL .*; starting it again in (9\d|1[01]\d) ms/);
    const after = await untilStatus(
      'the new worker',
      ({ workers }) => workers[0]?.pid !== before.workers[0]?.pid && workers[0]?.state === 'ready',
    );
    expect(after.workers[0]?.restarts).toBe(1);
    expect(after.workers[1]?.pid).toBe(before.workers[1]?.pid);
    expect(after.workers[0]?.delivered).toBeGreaterThan(before.workers[0]?.delivered ?? Infinity);
    expect(deliveredBy('worker-1', (await get('/metrics/workers')).text)).toBeGreaterThan(scrapedBefore);
  });

  test('are started again more and more slowly when they die again and again', async () => {
    const { untilReady, untilStatus, program } = await supervise();
    for (let restarts = 0; restarts < 4; restarts++) {
      const { workers } = await untilReady(1);
      process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
      await untilStatus('the restart', (status) => status.workers[0]?.restarts === restarts + 1);
    }
    const delays = program.lines.flatMap(({ text }) => /again in (\d+) ms/.exec(text)?.[1] ?? []).map(Number);
    expect(delays.map((delay, crash) => Math.round(delay / (100 * 2 ** crash)))).toEqual([1, 1, 1, 1]);
  });

  test('that hang are killed after 10 s without a heartbeat', async () => {
    const { untilReady, program, untilStatus, get } = await supervise({ workers: 1, faults: 'hangs' });
    const before = await untilReady(1);
    await waitFor(async () => (await get('/metrics/workers')).text.includes('supervisor_scrape_missing_workers 1'), {
      what: 'a scrape without the hung worker',
    });
    await program.waitForLine(/worker-1 .* sent no heartbeat for 10 s, its event loop hangs and was killed/);
    await untilStatus('another process', ({ workers }) => workers[0]?.pid !== before.workers[0]?.pid);
  });

  test('have what they held put back when they die, under every name they had', async () => {
    const { untilReady, program } = await supervise({ faults: 'holds' });
    const { workers } = await untilReady(1);
    await redis.client.lpush(redisKeys('holds').processing('held'), 'a message');
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await program.waitForLine(/worker-1 \(pid \d+\): 1 of its messages are back in the queue/);
    expect(await redis.client.lrange('holds', 0, -1)).toEqual(['a message']);
  });

  test('have a claim put back that lands after they died', async () => {
    const { untilReady, program } = await supervise({ faults: 'holds' });
    const { workers } = await untilReady(1);
    const held = redisKeys('holds').processing('held');
    await redis.client.lpush(held, 'a message');
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await program.waitForLine(/1 of its messages are back in the queue/);
    await redis.client.lpush(held, 'a late message');
    await waitFor(async () => (await redis.client.llen('holds')) === 2, { what: 'the second look' });
  });

  test('of a host whose process is gone are recovered at the start', async () => {
    const gone = consumerName('worker-1', 2 ** 22 + 1, 'abc');
    const { consumers, processing } = redisKeys('message_queue');
    await redis.client.lpush(processing(gone), 'a message');
    await redis.client.zadd(consumers, Date.now() + 60_000, gone);
    const { program } = await supervise();
    await program.waitForLine(/that is gone \(worker-1@.*: 1 of its messages are back in the queue/);
    expect(await redis.client.lrange('message_queue', 0, -1)).toEqual(['a message']);
  });

  test('get what they held back when Redis was away at their death', async () => {
    const { untilReady, program } = await supervise({ faults: 'holds' });
    const { workers } = await untilReady(1);
    await redis.client.lpush(redisKeys('holds').processing('held'), 'a message');
    redis.process.freeze();
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await program.waitForLine(/was killed by SIGKILL/);
    redis.process.thaw();
    await program.waitForLine(/1 of its messages are back in the queue/);
  });
});

describe('signals', () => {
  test('SIGTTIN and SIGTTOU change the number of workers, and one stays', async () => {
    const { untilReady, program } = await supervise();
    await untilReady(1);
    program.signal('SIGTTIN');
    const { workers } = await untilReady(2);
    expect(workers[1]?.id).toBe('worker-2');
    program.signal('SIGTTOU');
    await untilReady(1);
    await waitFor(() => !isAlive(workers[1]?.pid ?? 0), { what: 'the second worker to end' });
    program.signal('SIGTTOU');
    await program.waitForLine(/only one worker left/);
  });

  test('SIGUSR2 writes the status to the log', async () => {
    const { untilReady, program } = await supervise({ workers: 2 });
    await untilReady(2);
    program.signal('SIGUSR2');
    await program.waitForLine(/Status: supervisor running for \d+ s, 2 of 2 workers ready/);
    await program.waitForLine(/Status: worker-2: pid \d+, ready/);
  });

  test('SIGTERM drains and exits with 0, leaving no process and no pidfile', async () => {
    const { untilReady, program, directory, port } = await supervise({ workers: 2, faults: 'slow-drain' });
    await untilReady(2);
    program.signal('SIGTERM');
    await program.waitForLine(/Received signal 15, initiating graceful shutdown\.\.\./);
    const exit = await program.waitForExit();
    expect(exit.code).toBe(0);
    expect(program.descendants()).toEqual([]);
    expect(existsSync(join(directory, 'run', `supervisor-${port}.pid`))).toBe(false);
  });

  test('a second SIGTERM ends at once, and a child that must be killed makes the exit code 1', async () => {
    // by itself it would end ten minutes later, long after this test has given up
    const { untilReady, program } = await supervise({ faults: 'ignores-drain', shutdownTimeoutMs: 600_000 });
    await untilReady(1);
    program.signal('SIGTERM');
    await program.waitForLine(/initiating graceful shutdown/);
    program.signal('SIGTERM');
    const { code } = await program.waitForExit();
    expect(code).toBe(1);
    await program.waitForLine(/Received signal 15 again, ending at once/);
  });

  test('a child that ignores its drain deadline is killed 3 s after it', async () => {
    const { untilReady, program } = await supervise({ faults: 'ignores-drain', shutdownTimeoutMs: 500 });
    await untilReady(1);
    const asked = performance.now();
    program.signal('SIGINT');
    const { code } = await program.waitForExit();
    expect(code).toBe(1);
    expect(performance.now() - asked).toBeGreaterThan(3_400);
  });

  test('two SIGINTs at once are one Ctrl-C', async () => {
    const { untilReady, program } = await supervise({ faults: 'slow-drain' });
    await untilReady(1);
    program.signal('SIGINT');
    program.signal('SIGINT');
    await program.waitForLine(/Received signal 2, initiating graceful shutdown/);
    expect((await program.waitForExit()).code).toBe(0);
    expect(program.lines.filter(({ text }) => text.includes('ending at once'))).toEqual([]);
  });
});

describe('the primary', () => {
  test('killed with -9 leaves children that end by themselves and a pidfile the next one takes over', async () => {
    const { untilReady, program, startAgain } = await supervise({ workers: 2 });
    const before = await untilReady(2);
    program.signal('SIGKILL');
    await program.waitForExit();
    await waitFor(() => pidsOf(before).every((pid) => !isAlive(pid ?? 0)), { what: 'the orphans to end' });
    const next = startAgain();
    const after = await untilReady(2);
    expect(after.supervisor.pid).toBe(next.pid);
  });
});

function deliveredBy(workerId: string, metrics: string): number {
  return Number(new RegExp(`worker_messages_delivered_total\\{worker_id="${workerId}"\\} (\\d+)`).exec(metrics)?.[1]);
}
