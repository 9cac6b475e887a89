import { once } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { readPause } from '../../../../src/domain/pause/pause.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import type { PauseQueue } from '../../../../src/queue/background-queue.js';
import { withOperatorQueue, type OperatorQueue } from '../../../../src/queue/operator-queue.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import type { AuditEntry } from '../../../../src/domain/audit/deed.js';
import { pauseDeliveries, resumeDeliveries } from '../../../../supervisor/admin/routes/pause.js';
import { QUEUE, queueConfig, redisConfig } from '../../../support/redis/queue.js';
import { plainClient, useRedis } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import { useQueues } from '../queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);
const { paused, pausedSeen, consumers, queue: waiting } = redisKeys(QUEUE);
const ANNA = { id: 'p1', who: 'anna', where: 'web-1', why: 'new main server', forMs: undefined };

beforeEach(() => redis.client.flushall());

const asOperator = <T>(use: (queue: OperatorQueue) => Promise<T>): Promise<T> =>
  withOperatorQueue({ redis: redisConfig(redis.port), queue: queueConfig() }, systemClock, use);

/** Keeps the pause that a look finds, as a worker does. */
async function keep(queue: PauseQueue): Promise<void> {
  const { text } = await queue.lookAtPause();
  await queue.lookAtPause({ text: text!, ...readPause(text!) });
}

describe('a pause', () => {
  test('is as it was wanted, replaces another one, and is ended by whoever wants to', async () => {
    await asOperator(async ({ pausing }) => {
      expect(await pausing.begin(ANNA)).toMatchObject({ id: 'p1', untilMs: undefined, replaced: undefined });
      expect(readPause((await redis.client.get(paused))!)).toMatchObject({ who: 'anna', why: 'new main server' });
      const { untilMs, replaced } = await pausing.begin({ ...ANNA, id: 'p2', forMs: 60_000 });
      expect(replaced).toMatchObject({ id: 'p1', who: 'anna', untilMs: undefined });
      const [seconds] = (await redis.client.time()).map(Number);
      expect(untilMs! / 1_000 - seconds!).toBeCloseTo(60, -1);
      expect(await redis.client.pttl(paused)).toBeGreaterThan(50_000);
      expect(await pausing.finish()).toMatchObject({ id: 'p2', who: 'anna' });
      expect(await pausing.finish()).toBeUndefined();
    });
    expect(await redis.client.exists(paused)).toBe(0);
  });

  test('goes into a full Redis, and over no key of another program', async () => {
    await asOperator(async ({ pausing }) => {
      await redis.client.config('SET', 'maxmemory', '1');
      try {
        await pausing.begin(ANNA);
      } finally {
        await redis.client.config('SET', 'maxmemory', '0');
      }
      await redis.client.del(paused);
      await redis.client.lpush(paused, 'theirs');
      await expect(pausing.begin(ANNA)).rejects.toThrow(`The key ${paused} in Redis is no string`);
      await expect(pausing.finish()).rejects.toThrow(/is no string/);
      expect(await redis.client.lrange(paused, 0, -1)).toEqual(['theirs']);
    });
  });

  test('without a worker is confirmed at once', async () => {
    await asOperator(async ({ pausing }) => {
      await pausing.begin(ANNA);
      expect(await pausing.whenConfirmed('p1', 5_000)).toEqual({ confirmed: [], missing: [], isOver: false });
    });
  });

  test('is confirmed when the last consumer with a lease keeps it; of the recovered nobody waits', async () => {
    const queues = [await queueOf('worker-1'), await queueOf('worker-2')];
    for (const queue of queues) await queue.renewLease();
    await redis.client.zadd(consumers, '-5', 'recovered');
    await asOperator(async ({ pausing }) => {
      await pausing.begin(ANNA);
      await keep(queues[0]!);
      expect(await pausing.whenConfirmed('p1', 0)).toEqual({
        confirmed: [queues[0]!.consumer],
        missing: [queues[1]!.consumer],
        isOver: false,
      });
      const all = pausing.whenConfirmed('p1', 20_000);
      await keep(queues[1]!);
      expect(await all).toMatchObject({ missing: [], isOver: false });
      // another pause is not kept before it was seen
      await pausing.begin({ ...ANNA, id: 'p2' });
      expect((await pausing.whenConfirmed('p2', 0)).missing).toHaveLength(2);
    });
  });

  test('that has ended, or was replaced, holds no more whoever had confirmed it', async () => {
    const queue = await queueOf('worker-1');
    await queue.renewLease();
    await asOperator(async ({ pausing }) => {
      await pausing.begin(ANNA);
      await keep(queue);
      await redis.client.del(paused);
      expect(await pausing.whenConfirmed('p1', 5_000)).toMatchObject({ isOver: true });
      await pausing.begin({ ...ANNA, id: 'p2' });
      expect(await pausing.whenConfirmed('p1', 5_000)).toMatchObject({ isOver: true });
    });
  });

  test('names clients in a plain BRPOP, and not our own', async () => {
    const python = plainClient(redis.port);
    try {
      await once(python, 'ready');
      const popping = python.brpop(waiting, 0).catch(() => undefined);
      const isThere = async () => (await asOperator(({ pausing }) => pausing.plainPoppers())).length === 1;
      await waitFor(isThere, { what: 'the pop to be named' });
      python.disconnect();
      await popping;
    } finally {
      python.disconnect();
    }
  });
});

describe('what an operator is told', () => {
  const audit = (): Promise<readonly AuditEntry[]> => asOperator((queue) => queue.audit.list(10));
  const by = { who: 'anna', where: 'web-1' };
  const pauseOf = (queue: OperatorQueue, why = '', forMs?: number) =>
    pauseDeliveries(queue, { ...by, why, forMs }, (act) => queue.audit.note({ ...act, ...by }).then(() => undefined));

  test('who has not confirmed it within 5 s, and that it stands', async () => {
    await redis.client.zadd(consumers, '99999999999999', 'worker-7@web-2/0123456789ab.4711.x', '99999999999999', 'old');
    const answer = await asOperator((queue) => pauseOf(queue));
    expect(answer).toMatchObject({ complete: false, confirmed: [], schema_version: 1 });
    expect(answer.error).toMatch(/^The pause stands, but 2 of 2 workers .*: (?:old, )?worker-7 on web-2 \(pid 4711\)/);
    expect(await redis.client.exists(paused)).toBe(1);
  });

  test('what was ended; and both stand in the audit', async () => {
    const answer = await asOperator((queue) => pauseOf(queue, 'new main server', 60_000));
    expect(answer).toMatchObject({ complete: true, who: 'anna', why: 'new main server', replaced: null, missing: [] });
    expect(Date.parse(answer.until!)).toBeGreaterThan(Date.now() + 30_000);
    const note = async (): Promise<void> => undefined;
    const ended = await asOperator((queue) => resumeDeliveries(queue, note));
    expect(ended).toMatchObject({ ended: { who: 'anna', id: answer.id } });
    expect(await asOperator((queue) => resumeDeliveries(queue, note))).toMatchObject({ ended: null });
    expect(await audit()).toMatchObject([{ action: 'pause', who: 'anna', detail: 'for 60 s: new main server' }]);
    expect(await redis.client.exists(pausedSeen)).toBe(0);
  });
});
