/** What is kept of failed attempts: with the message until it is delivered, then with its dead letter, and by the hour. */
import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { deadLetter, readDeadLetter } from '../../../../src/domain/dead-letters/dead-letter.js';
import { failureLine } from '../../../../src/domain/failures/failed-attempt.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import type { RedisQueue } from '../../../../src/queue/claims/claims-and-settlements.js';
import type { Claim, Settlement } from '../../../../src/queue/message-queue.js';
import { permitAsVersion1, EARLIER_USER } from '../../../support/redis/earlier-user.js';
import { claim, message, places, QUEUE, settle } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useOperator, useQueues } from '../queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);
const asOperator = useOperator(redis);
const keys = redisKeys(QUEUE);

function lineOf(number: number, answer = `answer ${number}`): string {
  return failureLine({ at: number, reason: 'http_503', status: 503, answer, workerId: 'worker-1' });
}

function retryOf(one: Claim, messageId: string, failure = lineOf(0)): Settlement {
  return { kind: 'retry', claim: one, message: one.raw, messageId, delayMs: 60_000, failure };
}

async function claimed(queue: RedisQueue, id: string, attempts = 1): Promise<Claim> {
  await redis.client.lpush(QUEUE, message(id, attempts));
  const [one] = await claim(queue, 1);
  return one!;
}

async function answersOf(id: string): Promise<(string | undefined)[] | undefined> {
  const found = await asOperator(({ failures }) => failures([id, 'nobody']));
  return found.get(id)?.map(({ answer }) => answer);
}

test('the last five are kept with the retry, the newest last, and go with the delivery', async () => {
  const queue = await queueOf();
  for (let number = 1; number <= 7; number += 1) {
    expect(await settle(queue, retryOf(await claimed(queue, 'a'), 'a', lineOf(number)))).not.toHaveProperty('skipped');
  }
  expect(await answersOf('a')).toEqual([3, 4, 5, 6, 7].map((number) => `answer ${number}`));
  await settle(queue, { kind: 'ack', claim: await claimed(queue, 'other', 0) });
  expect(await answersOf('a')).toHaveLength(5);
  const delivered = await claimed(queue, 'a');
  expect((await settle(queue, { kind: 'ack-retried', claim: delivered, messageId: 'a' })).lost).toEqual([]);
  expect(await redis.client.exists(keys.failures)).toBe(0);
  expect((await places(redis.client)).processing).toEqual([]);
});

test('nothing is kept or forgotten for a claim that is not ours any more', async () => {
  const queue = await queueOf();
  const [one, other] = [await claimed(queue, 'a'), await claimed(queue, 'b')];
  await redis.client.hset(keys.failures, 'b', lineOf(1));
  await redis.client.del(keys.processing(queue.consumer));
  const { lost } = await settle(queue, retryOf(one, 'a'), { kind: 'ack-retried', claim: other, messageId: 'b' });
  expect(lost).toHaveLength(2);
  expect(await redis.client.hkeys(keys.failures)).toEqual(['b']);
});

test.each([100, 2_000_000])('they go along into the dead letter of a message of %d bytes', async (bytes) => {
  const queue = await queueOf();
  await redis.client.lpush(QUEUE, JSON.stringify({ message_id: 'a', attempt_count: 3, text: 'x'.repeat(bytes) }));
  const [one] = await claim(queue, 1);
  await redis.client.hset(keys.failures, 'a', `${lineOf(1)}\n${lineOf(2, '"message":"x", é')}`);
  const about = { error: 'e', attemptCount: 3, workerId: 'w', deadAt: 0 } as const;
  const envelope = deadLetter({ raw: one!.raw, reason: 'max_attempts_exceeded', ...about });
  await settle(queue, { kind: 'bury', claim: one!, envelope, isUntold: true });
  const letter = await asOperator(({ deadLetters }) => deadLetters.find('a', { whole: true }));
  expect(letter?.letter?.failures.map(({ answer }) => answer)).toEqual(['answer 1', '"message":"x", é']);
  expect(letter?.letter?.raw.equals(one!.raw)).toBe(true);
  expect(await redis.client.exists(keys.failures)).toBe(0);
  await redis.client.zadd(keys.untold, 1, letter!.line);
  expect((await queue.background.takeUntold(1, 1_000)).taken).toMatchObject([{ messageId: 'a', attemptCount: 3 }]);
});

test('they go along into the dead letter of a retry that an operator cancels', async () => {
  const queue = await queueOf();
  await settle(queue, retryOf(await claimed(queue, 'a'), 'a', lineOf(1)));
  await asOperator(({ actions }) => actions.cancel({ filter: { ids: ['a'] }, dryRun: false }));
  const letter = await asOperator(({ deadLetters }) => deadLetters.find('a', { whole: true }));
  expect(letter).toMatchObject({ reason: 'cancelled', letter: { failures: [{ answer: 'answer 1', status: 503 }] } });
});

test.each(['not JSON', '{"at":NaN}', '[', Buffer.from([0xff, 0xfe])])(
  'a dead letter stays one whatever somebody wrote there: %s',
  async (foreign) => {
    const queue = await queueOf();
    const one = await claimed(queue, 'a');
    await redis.client.hset(keys.failures, 'a', foreign);
    const about = { error: 'e', attemptCount: 3, workerId: 'w', deadAt: 0 } as const;
    const envelope = deadLetter({ raw: one.raw, reason: 'max_attempts_exceeded', ...about });
    await settle(queue, { kind: 'bury', claim: one, envelope });
    const [stored] = await redis.client.hvalsBuffer(keys.deadLetters);
    expect(readDeadLetter(stored!)).toMatchObject({ raw: one.raw, failures: [] });
  },
);

test('a full Redis keeps none, and takes the retries all the same', async () => {
  const queue = await queueOf();
  const one = await claimed(queue, 'a');
  await redis.client.config('SET', 'maxmemory', '1');
  try {
    const { lost, refused, skipped } = await settle(queue, retryOf(one, 'a'));
    expect({ lost, refused }).toEqual({ lost: [], refused: [] });
    expect(skipped).toMatchObject({ letters: 0, tellings: 0, reason: '', failures: { count: 1 } });
    expect(skipped?.failures?.reason).toMatch(/^OOM /);
  } finally {
    await redis.client.config('SET', 'maxmemory', '0');
  }
  expect(await redis.client.exists(keys.failures)).toBe(0);
  expect(await redis.client.zcard(keys.retry)).toBe(1);
});

test("with version 1's permissions, or another program's key, messages are tried again and delivered", async () => {
  await permitAsVersion1(redis.client);
  const earlier = await queueOf('worker-1', { redis: EARLIER_USER });
  const kept = await settle(earlier, retryOf(await claimed(earlier, 'a'), 'a'));
  expect(kept).toMatchObject({ lost: [], refused: [], skipped: { failures: { count: 1 } } });
  expect(kept.skipped?.failures?.reason).toContain('SETRANGE');

  const queue = await queueOf('worker-2');
  await redis.client.set(keys.failures, 'of another program');
  const [one, other] = [await claimed(queue, 'b'), await claimed(queue, 'c')];
  const settled = await settle(queue, retryOf(one, 'b'), { kind: 'ack-retried', claim: other, messageId: 'c' });
  expect(settled).toMatchObject({ lost: [], refused: [], skipped: { failures: { count: 1 } } });
  expect(settled.skipped?.failures?.reason).toContain('WRONGTYPE');
  expect(await redis.client.zcard(keys.retry)).toBe(2);
});

test('of many messages first the answers are left out, then further messages', async () => {
  const queue = await queueOf();
  const fill = (from: number, to: number) =>
    redis.client.eval(
      `for at = ARGV[1], ARGV[2] do redis.call('HSET', KEYS[1], 'f' .. at, ARGV[3]) end`,
      1,
      keys.failures,
      from,
      to,
      lineOf(1),
    );
  await fill(1, 80_000);
  expect(await settle(queue, retryOf(await claimed(queue, 'a'), 'a', lineOf(1)))).not.toHaveProperty('skipped');
  expect(await answersOf('a')).toEqual([undefined]);
  await fill(80_001, 100_000);
  const { skipped } = await settle(queue, retryOf(await claimed(queue, 'b'), 'b'));
  expect(skipped?.failures).toEqual({ count: 1, reason: 'there are too many failed messages' });
  // one that is there takes the new in place of the old
  await settle(queue, retryOf(await claimed(queue, 'f1'), 'f1', lineOf(2)));
  expect(await answersOf('f1')).toEqual([undefined]);
  expect(await redis.client.hlen(keys.failures)).toBe(100_001);
});

test('64 MB of them are enough', async () => {
  const queue = await queueOf();
  const foreign = 'x'.repeat(1_000_000);
  for (let at = 0; at < 70; at += 1) await redis.client.hset(keys.failures, `f${at}`, foreign);
  const { skipped } = await settle(queue, retryOf(await claimed(queue, 'a'), 'a'));
  expect(skipped?.failures?.count).toBe(1);
  // what somebody else wrote is replaced
  await settle(queue, retryOf(await claimed(queue, 'f1'), 'f1', lineOf(2)));
  expect(await redis.client.hstrlen(keys.failures, 'f1')).toBeLessThan(200);
});

test('without a safety copy a settlement that is repeated keeps its attempt once', async () => {
  const queue = await queueOf('worker-1', { reliable: false });
  const one = await claimed(queue, 'a');
  await settle(queue, retryOf(one, 'a', lineOf(1)));
  await settle(queue, retryOf(one, 'a', lineOf(1)));
  expect(await answersOf('a')).toEqual(['answer 1']);
});
