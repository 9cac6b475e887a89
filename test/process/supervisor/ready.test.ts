/** `/ready` in every state of the built program: what it answers, and why. */
import { expect, test } from 'vitest';

import type { StatusDocument } from '../../../supervisor/status/status-document.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { startOperated, type Operated } from '../fixtures/operated.js';

const redis = useRedis();
const main = useMainServer();
useProgram();

interface Ready {
  readonly status: number;
  readonly reasons: string;
  readonly warnings: string;
}

const operate = (env: Record<string, string> = {}) =>
  startOperated({ redisPort: redis.port, mainServerUrl: main.server.url, env });

/** undefined = the port is not open yet. */
async function readyOf({ ask }: Operated): Promise<Ready | undefined> {
  const reply = await ask('/ready').catch(() => undefined);
  if (!reply) return undefined;
  const { reasons, warnings } = reply.body as { readonly reasons: string[]; readonly warnings: string[] };
  return { status: reply.status, reasons: reasons.join('; '), warnings: warnings.join('; ') };
}

function untilReady(operated: Operated, wanted: (ready: Ready) => boolean, what: string) {
  return waitFor(
    async () => {
      const ready = await readyOf(operated);
      return ready && wanted(ready) && ready;
    },
    { what: `/ready to be ${what}` },
  );
}

const pidsOf = async ({ ask }: Operated): Promise<number[]> =>
  ((await ask('/status')).body as unknown as StatusDocument).workers.flatMap(({ pid }) => pid ?? []);

test('starting, at work, stopping', async () => {
  main.server.faults.post.hang = true;
  const operated = await operate();
  const first = await waitFor(() => readyOf(operated), { what: 'the first answer' });
  // before its first word with Redis the supervisor may say that it cannot reach it
  expect(first.status).toBe(503);
  expect(first.reasons).toMatch(/no worker takes messages: worker-1 is starting$/);
  const ready = await untilReady(operated, ({ status }) => status === 200, 'ready');
  expect(ready).toEqual({ status: 200, reasons: '', warnings: '' });
  await redis.client.lpush(QUEUE, JSON.stringify({ message_id: 'held' }));
  await waitFor(() => main.server.connections.open > 0, { what: 'a message in flight' });
  operated.program.signal('SIGTERM');
  const stopping = await untilReady(operated, ({ status }) => status === 503, 'unready');
  expect(stopping.reasons).toMatch(/^the supervisor is stopping; no worker takes messages: worker-1 is draining/);
});

test('Redis gone, and back', async () => {
  const operated = await operate();
  await operated.untilReady();
  await redis.process.kill();
  const gone = await untilReady(operated, ({ status }) => status === 503, 'unready');
  expect(gone.reasons).toMatch(/Redis cannot be reached|no worker takes messages/);
  await untilReady(
    operated,
    ({ reasons }) => /^Redis cannot be reached by the supervisor and worker-1: 127\.0\.0\.1:\d+: [^;]*$/.test(reasons),
    'sure of it',
  );
  await redis.process.restart();
  await untilReady(operated, ({ status, warnings }) => status === 200 && warnings === '', 'ready again');
});

test('Redis gone from the start', async () => {
  const operated = await operate({ REDIS_PORT: '1' });
  await untilReady(operated, ({ status, reasons }) => status === 503 && /^Redis cannot be reached/.test(reasons), 'so');
});

test('the circuit breaker is open everywhere', async () => {
  const operated = await operate({ MAIN_SERVER_URL: 'http://127.0.0.1:1' });
  await operated.untilReady();
  await redis.client.lpush(QUEUE, ...Array.from({ length: 20 }, (_, at) => JSON.stringify({ message_id: `m${at}` })));
  await untilReady(
    operated,
    ({ status, reasons }) =>
      status === 503 &&
      reasons === 'the main server cannot be reached (connection_refused): worker-1 has paused claiming',
    'unready for the breaker',
  );
});

test('all workers in backoff, and at work again', async () => {
  const operated = await operate({ WORKER_COUNT: '2' });
  await untilReady(operated, ({ status }) => status === 200, 'ready');
  const inBackoff = ({ status, reasons }: Ready) =>
    status === 503 && /^2 of 2 workers are started again: the last process was killed by SIGKILL/.test(reasons);
  const killAll = async () => {
    for (const pid of await pidsOf(operated)) kill(pid);
    return inBackoff((await readyOf(operated)) ?? { status: 0, reasons: '', warnings: '' });
  };
  await waitFor(killAll, { what: 'both to wait for their next start' });
  const health = await operated.ask('/health');
  expect(health.body['reasons']).toEqual(
    expect.arrayContaining([expect.stringMatching(/started again: the last process was killed/)]),
  );
  await untilReady(operated, ({ status }) => status === 200, 'ready again');
});

test('the only worker hangs: unready seconds before it is killed, and ready with the next', async () => {
  const operated = await operate();
  await operated.untilReady();
  process.kill((await pidsOf(operated))[0] ?? 0, 'SIGSTOP');
  const hung = await untilReady(operated, ({ status }) => status === 503, 'unready');
  expect(hung.reasons).toBe('worker-1 has sent no heartbeat for 3 s; the event loop may hang');
  await untilReady(operated, ({ status }) => status === 200, 'ready with a new process');
});

test('one of two hangs: ready, it is named, and its counts are still scraped', async () => {
  const operated = await operate({ WORKER_COUNT: '2' });
  await untilReady(operated, ({ status }) => status === 200, 'ready');
  await redis.client.lpush(QUEUE, ...Array.from({ length: 40 }, (_, at) => JSON.stringify({ message_id: `s${at}` })));
  const scrape = async () => (await operated.ask('/metrics/workers')).text;
  const delivered = async () =>
    [...(await scrape()).matchAll(/^worker_messages_delivered_total\{.*\} (\d+)$/gm)].map((match) => Number(match[1]));
  const sum = async () => (await delivered()).reduce((total, count) => total + count, 0);
  await waitFor(async () => (await sum()) === 40, { what: 'all to be counted' });

  process.kill((await pidsOf(operated))[0] ?? 0, 'SIGSTOP');
  expect(await scrape()).toMatch(/^supervisor_scrape_missing_workers 1$/m);
  expect(await sum()).toBe(40);
  const named = await untilReady(operated, ({ warnings }) => /no heartbeat/.test(warnings), 'naming it');
  expect(named).toMatchObject({ status: 200, reasons: '' });
  await waitFor(
    async () => /^supervisor_worker_hangs_total\{worker_id="worker-1"\} 1$/m.test(await metrics(operated)),
    { what: 'the hang to be counted' },
  );
  expect(await sum()).toBe(40);
});

test('what a worker counted and nobody scraped survives its death', async () => {
  const operated = await operate();
  await operated.untilReady();
  await redis.client.lpush(QUEUE, ...Array.from({ length: 25 }, (_, at) => JSON.stringify({ message_id: `k${at}` })));
  const workerOf = async () => ((await operated.ask('/status')).body as unknown as StatusDocument).workers[0];
  const counted = await waitFor(
    async () => {
      const worker = await workerOf();
      return worker?.delivered === 25 && worker;
    },
    { what: 'them in /status' },
  );
  // the counts follow the beat that said so; a second later they are here
  await waitFor(async () => ((await workerOf())?.uptime_seconds ?? 0) > counted.uptime_seconds + 1, {
    what: 'a beat more',
  });
  kill((await pidsOf(operated))[0] ?? 0);
  await waitFor(async () => /"restarts":1/.test((await operated.ask('/status')).text), { what: 'its end to be seen' });
  const { text } = await operated.ask('/metrics/workers');
  expect(text).toMatch(/^worker_messages_delivered_total\{worker_id="worker-1"\} 25$/m);
  expect(text).toMatch(/^worker_delivery_duration_seconds_count\{worker_id="worker-1"\} 25$/m);
});

async function metrics({ ask }: Operated): Promise<string> {
  return (await ask('/metrics')).text;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
