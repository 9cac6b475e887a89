import { afterEach, describe, expect, test } from 'vitest';
import { createLeaseRenewal } from '../../../src/duties/lease-renewal.js';
import { createRecoverer } from '../../../src/duties/recoverer.js';
import { createRetryScheduler } from '../../../src/duties/retry-scheduler.js';
import type { RedisQueue } from '../../../src/queue/claims/claims-and-settlements.js';
import { LEASE_MS } from '../../../src/domain/clocks/lease-watch.js';
import type { Life } from '../../../src/shared/life.js';
import { systemClock, type Clock } from '../../../src/shared/time/clock.js';
import type { Log } from '../../../src/shared/logger/log.js';
import { claim, openQueue, QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';

const redis = useRedis();
const queues: RedisQueue[] = [];
const duties: Life[] = [];
const lines: string[] = [];
const line = (text: string) => void lines.push(text);
const log: Log = { debug: line, info: line, warn: line, error: line };
const consumers = `{${QUEUE}}:consumers`;

afterEach(async () => {
  await Promise.all(duties.splice(0).map((duty) => duty.stop()));
  await Promise.all(queues.splice(0).map((queue) => queue.stop()));
  lines.length = 0;
});

async function queueOf(workerId: string): Promise<RedisQueue> {
  const queue = await openQueue(redis.port, workerId);
  queues.push(queue);
  return queue;
}

function run(duty: Life): Life {
  duties.push(duty);
  void duty.start();
  return duty;
}

/** A clock that the test moves; it never stands still, so that loops end. */
function movableClock(): Clock & { advance(ms: number): void } {
  let ahead = 0;
  return {
    ...systemClock,
    now: () => performance.now() + ahead,
    wallNow: () => 0,
    advance: (ms) => {
      ahead += ms;
    },
  };
}

describe('retry scheduler', () => {
  test('stops while it sleeps, and stops twice', async () => {
    const queue = await queueOf('worker-1');
    const duty = run(
      createRetryScheduler({ queue: queue.background, retryIntervalMs: 30_000, clock: systemClock, log }),
    );
    await duty.stop();
    await duty.stop();
  });
});

describe('heartbeat', () => {
  test('takes the lease at once and keeps it', async () => {
    const queue = await queueOf('worker-1');
    run(createLeaseRenewal({ queue, clock: systemClock, log }));
    const expiry = async () => Number(await redis.client.zscore(consumers, queue.consumer));
    const first = await waitFor(expiry, { what: 'the lease' });
    const [seconds, microseconds] = (await redis.client.time()).map(Number);
    const now = (seconds ?? 0) * 1_000 + (microseconds ?? 0) / 1_000;
    expect(first - now).toBeLessThanOrEqual(LEASE_MS);
    await waitFor(async () => (await expiry()) > first, { what: 'the renewal' });
  });
});

test('the observer of leases returns what a consumer held whose score has stood still for 13 s', async () => {
  const clock = movableClock();
  const dead = await queueOf('worker-9');
  await redis.client.lpush(QUEUE, 'held');
  await claim(dead, 1);
  const queue = await queueOf('worker-1');
  run(createRecoverer({ queue: queue.background, ownConsumer: () => queue.consumer, clock, log }));
  const looks = async () =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1] ?? 0);
  // in steps that are no sign of having been away; a busy machine may make them one, and then it takes longer
  const startedAt = clock.now();
  while ((await redis.client.llen(QUEUE)) === 0 && clock.now() - startedAt < 120_000) {
    const before = await looks();
    await waitFor(async () => (await looks()) > before, { what: 'a look' });
    clock.advance(1_500);
  }
  expect(clock.now() - startedAt).toBeGreaterThan(13_000);
  const told = () => lines.join('\n').includes(`Recovered 1 message(s) of ${dead.consumer}, whose lease ran out`);
  await waitFor(told, { what: 'the line' });
});
