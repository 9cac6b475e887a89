/** What Redis refuses beside burials that stand, and a Redis that is full. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { deadLetter, POISON_CRASHES } from '../../../../src/domain/dead-letters/dead-letter.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import type { RedisQueue } from '../../../../src/queue/claims/claims-and-settlements.js';
import { EARLIER_USER, permitAll, permitAsVersion1 } from '../../../support/redis/earlier-user.js';
import { claim, message, places, QUEUE, settle } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useQueues } from '../queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);
const keys = redisKeys(QUEUE);

function envelopeOf(raw: string): Buffer {
  const about = { error: '', attemptCount: 3, workerId: 'w', deadAt: 0 } as const;
  return deadLetter({ raw: Buffer.from(raw), reason: 'max_attempts_exceeded', ...about });
}

async function bury(queue: RedisQueue, isUntold: boolean, ...ids: readonly string[]) {
  for (const id of ids) await redis.client.lpush(QUEUE, message(id));
  const claims = await claim(queue, ids.length);
  const told = isUntold ? ({ isUntold } as const) : {};
  return settle(
    queue,
    ...claims.map((one) => ({ kind: 'bury', claim: one, envelope: envelopeOf(String(one.raw)), ...told }) as const),
  );
}

async function asVersion1(workerId?: string): Promise<RedisQueue> {
  await permitAsVersion1(redis.client);
  return queueOf(workerId, { redis: EARLIER_USER });
}

test("with version 1's permissions burials stand, and it is said how many nobody will tell of, and why", async () => {
  const queue = await asVersion1();
  const { refused, lost, skipped } = await bury(queue, true, 'a', 'b');
  expect({ refused, lost }).toEqual({ refused: [], lost: [] });
  expect(skipped).toMatchObject({ letters: 2, tellings: 2 });
  expect(skipped?.reason).toMatch(new RegExp(`can't run this command.* \\(HSET ${keys.deadLetters}\\)$`));
  expect(await redis.client.llen(keys.dead)).toBe(2);
  expect((await bury(queue, false, 'c')).skipped).toMatchObject({ letters: 1, tellings: 0 });
  await permitAll(redis.client);
  expect((await bury(queue, true, 'd')).skipped).toBeUndefined();
  expect((await places(redis.client)).dead).toHaveLength(4);
});

test('so it is where only the key of the untold refuses', async () => {
  const queue = await queueOf();
  await redis.client.set(keys.untold, 'of another type');
  const { skipped } = await bury(queue, true, 'a');
  expect(skipped).toMatchObject({ letters: 0, tellings: 1 });
  expect(skipped?.reason).toMatch(new RegExp(`^WRONGTYPE .*\\(ZADD ${keys.untold}\\)$`));
});

test('a burial that is undone skips nothing', async () => {
  const queue = await asVersion1();
  await redis.client.lpush(QUEUE, message('a'));
  const [one] = await claim(queue, 1);
  await redis.client.del(keys.processing(queue.consumer));
  const { lost, skipped } = await settle(queue, {
    kind: 'bury',
    claim: one!,
    envelope: envelopeOf(message('a')),
    isUntold: true,
  });
  expect([lost.length, skipped]).toEqual([1, undefined]);
});

test('a recovery that buries says so, too', async () => {
  const [dead, other] = [await asVersion1(), await asVersion1('worker-2')];
  await redis.client.lpush(QUEUE, message('a'));
  await claim(dead, 1);
  await redis.client.hset(keys.crashes, createHash('sha1').update(message('a')).digest('hex'), POISON_CRASHES - 1);
  const recovery = await other.background.recover(dead.consumer, { evenIfLeased: true });
  expect(recovery).toMatchObject({ buried: 1, skipped: { letters: 1, tellings: 1 } });
});

test('the main server is told of burials while Redis is full, and asked again when it does not take them', async () => {
  const queue = await queueOf();
  await bury(queue, true, 'a', 'b');
  for (const line of await redis.client.zrange(keys.untold, '0', '-1')) await redis.client.zadd(keys.untold, 1, line);
  await redis.client.config('SET', 'maxmemory', '1');
  try {
    await expect(redis.client.lpush(QUEUE, 'x')).rejects.toThrow('OOM');
    const { taken } = await queue.background.takeUntold(8, 60_000);
    expect(taken).toHaveLength(2);
    await queue.background.endTelling(taken[0]!, 'again');
    await queue.background.endTelling(taken[1]!, 'told');
    expect(await redis.client.zrange(keys.untold, '0', '-1')).toEqual([taken[0]!.line]);
  } finally {
    await redis.client.config('SET', 'maxmemory', '0');
  }
});
