import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createMetricsServer } from '../../../src/duties/metrics-server.js';
import { createRetryScheduler } from '../../../src/duties/retry-scheduler.js';
import type { Life } from '../../../src/shared/life.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import type { Log } from '../../../src/shared/logger/log.js';
import { createWorkerMetrics } from '../../../src/shared/metrics/worker-metrics.js';
import { crowded } from '../../support/crowding.js';
import { freePort } from '../../support/free-port.js';
import { openQueue, places, QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';

const redis = useRedis();
const lines: string[] = [];
const line = (text: string) => void lines.push(text);
const log: Log = { debug: line, info: line, warn: line, error: line };
const cleanUp: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
  lines.length = 0;
});

function run(duty: Life): void {
  cleanUp.push(() => duty.stop());
  void duty.start();
}

test('10,000 retries that fall due at once are moved within a second, each exactly once though three look', async () => {
  const queues = await Promise.all(['worker-1', 'worker-2', 'worker-3'].map((id) => openQueue(redis.port, id)));
  for (const queue of queues) cleanUp.push(() => queue.stop());
  const due = Date.now() + 300;
  for (let from = 0; from < 10_000; from += 1_000) {
    const members = Array.from({ length: 1_000 }, (_, n) => [
      String(due),
      `0123456789ab${from + n} id${from + n}:m${from + n}`,
    ]);
    await redis.client.zadd(`{${QUEUE}}:retry`, ...members.flat());
  }
  for (const { background } of queues)
    run(createRetryScheduler({ queue: background, retryIntervalMs: 30_000, clock: systemClock, log }));
  await waitFor(async () => (await redis.client.llen(QUEUE)) >= 10_000, { what: 'all retries to be back' });
  expect(Date.now() - due).toBeLessThan(crowded(1_000));
  const waiting = new Set((await places(redis.client)).waiting);
  expect(waiting.size).toBe(10_000);
  await waitFor(() => lines.length >= 10_000, { what: 'a line for each' });
  expect(lines[0]).toMatch(/^Message id\d+ re-queued for retry$/);
});

test('a taken metrics port is served within a second after it has come free', async () => {
  const port = await freePort();
  const holder = createServer().listen(port, '127.0.0.1');
  await once(holder, 'listening');
  const { registry } = createWorkerMetrics('worker-1');
  const server = createMetricsServer({ host: '127.0.0.1', port, registry, clock: systemClock, log, enabled: true });
  cleanUp.push(async () => registry.clear());
  cleanUp.push(() => server.stop());
  await server.start();
  holder.close();
  await once(holder, 'close');
  const start = performance.now();
  await waitFor(() => server.state() === 'listening', { what: 'the port to be served' });
  expect(performance.now() - start).toBeLessThan(crowded(1_000));
});
