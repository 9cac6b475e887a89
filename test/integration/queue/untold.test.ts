import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { deadLetter, POISON_CRASHES } from '../../../src/domain/dead-letters/dead-letter.js';
import type { MessageFilter } from '../../../src/domain/filter/message-filter.js';
import type { RedisQueue } from '../../../src/queue/claims/claims-and-settlements.js';
import type { DeadLetterProgress } from '../../../src/queue/dead-letters/run.js';
import { redisKeys } from '../../../src/queue/keys.js';
import { withOperatorQueue } from '../../../src/queue/operator-queue.js';
import { systemClock, type Clock } from '../../../src/shared/time/clock.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import {
  claim,
  countDead,
  message,
  places,
  QUEUE,
  queueConfig,
  redisConfig,
  settle,
} from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { useOperator, useQueues } from './queues.js';

expectNoLeftovers();
const redis = useRedis();
const queueOf = useQueues(redis);
const keys = redisKeys(QUEUE);
const HOLD_MS = 60_000;

const onQueue = useOperator(redis);
const replay = () => onQueue(({ deadLetters }) => deadLetters.replay({ filter: {}, dryRun: false }));
const purge = () => onQueue(({ deadLetters }) => deadLetters.purge({ filter: {}, dryRun: false }));

/** As a worker whose PUT was not taken. */
async function bury(queue: RedisQueue, ...raws: readonly string[]): Promise<void> {
  for (const raw of raws) {
    await redis.client.lpush(QUEUE, raw);
    const [taken] = await claim(queue, 1);
    const about = { error: '', attemptCount: 3, workerId: 'w', deadAt: 0 } as const;
    const envelope = deadLetter({ raw: Buffer.from(raw), reason: 'max_attempts_exceeded', ...about });
    await settle(queue, { kind: 'bury', claim: taken!, envelope, isUntold: true });
  }
}

/** The second in which nobody may touch them, and any wait, is over. */
async function makeDue(): Promise<void> {
  for (const line of await redis.client.zrange(keys.untold, '0', '-1')) await redis.client.zadd(keys.untold, 1, line);
}

const untold = () => redis.client.zcard(keys.untold);

async function diesAgain(raw: string): Promise<void> {
  const [dead, other] = [await queueOf(), await queueOf('worker-2')];
  const [sha1, count] = [createHash('sha1').update(raw).digest('hex'), POISON_CRASHES - 1];
  await redis.client.lpush(QUEUE, raw);
  await claim(dead, 1);
  await redis.client.hset(keys.crashes, sha1, count);
  expect(await other.background.recover(dead.consumer, { evenIfLeased: true })).toMatchObject({ buried: 1 });
}

describe('what is to be told', () => {
  test('is each burial of poison with an id that can be read, and none without', async () => {
    await diesAgain(message('poison', 4));
    await makeDue();
    const queue = await queueOf('worker-3');
    const { taken } = await queue.background.takeUntold(8, HOLD_MS);
    const about = { messageId: 'poison', attemptCount: 4, errorMessage: 'In flight at 10 deaths of a worker process' };
    expect(taken).toMatchObject([about]);
    await redis.client.flushall();
    await diesAgain('no message at all');
    expect([await countDead(redis.client), await untold()]).toEqual([1, 0]);
  });

  test('is a spent message of which the main server did not take the end, and of it what its letter says', async () => {
    const queue = await queueOf();
    const large = JSON.stringify({ message_id: 'größer', attempt_count: 3, text: 'x'.repeat(2_000_000) });
    await bury(queue, message('m', 3), large);
    expect((await queue.background.takeUntold(8, HOLD_MS)).taken).toEqual([]);
    await makeDue();
    const { taken } = await queue.background.takeUntold(8, HOLD_MS);
    const error = 'Max attempts exceeded';
    expect(taken.map((burial) => [burial.messageId, burial.attemptCount, burial.errorMessage]).sort()).toEqual([
      ['größer', 3, error],
      ['m', 3, error],
    ]);
  });

  test('is nothing of a burial that is undone, and a burial stands where its entry is refused', async () => {
    const queue = await queueOf();
    await redis.client.set(keys.untold, 'of another type');
    await bury(queue, message('m'));
    expect(await places(redis.client)).toMatchObject({ waiting: [], processing: [], retry: [] });
    expect(await countDead(redis.client)).toBe(1);
    await expect(queue.background.takeUntold(8, HOLD_MS)).rejects.toThrow(/untold in Redis is no sorted set/);
  });
});

describe('tellers', () => {
  test('get each burial one at a time, also when the clock of Redis was set back', async () => {
    const [one, two] = [await queueOf(), await queueOf('worker-2')];
    await bury(one, message('a'), message('b'));
    await makeDue();
    const line = (await redis.client.zrange(keys.untold, '0', '0'))[0]!;
    await redis.client.zadd(keys.untold, Date.now() + 3_600_000, line);
    const [first, second] = await Promise.all([
      one.background.takeUntold(8, HOLD_MS),
      two.background.takeUntold(8, HOLD_MS),
    ]);
    expect([...first.taken, ...second.taken].map(({ messageId }) => messageId).sort()).toEqual(['a', 'b']);
  });

  test('leave what is due by a clock of Redis that was set ahead until the time they know of', async () => {
    const queue = await queueOf();
    await bury(queue, message('now'), message('later'));
    const now = Date.now();
    const [first = '', second = ''] = await redis.client.zrange(keys.untold, '0', '-1');
    await redis.client.zadd(keys.untold, now - 3_600_000, first, now - 1_800_000, second);
    const { taken, nextDueMs } = await queue.background.takeUntold(8, HOLD_MS, now - 3_000_000);
    expect(taken.map(({ messageId }) => messageId)).toEqual(['now']);
    expect(nextDueMs).toBe(1_200_000);
    // that one has it for its time from now on, whoever looks by whatever clock
    expect((await queue.background.takeUntold(8, HOLD_MS)).taken.map(({ messageId }) => messageId)).toEqual(['later']);
  });

  test('wait twice as long each time, from 1 s to 60 s', async () => {
    const queue = await queueOf();
    await bury(queue, message('a'));
    const line = (await redis.client.zrange(keys.untold, '0', '0'))[0]!;
    const waitAt = (now: number, died: number) => Math.min(60_000, Math.max(1_000, now - died));
    for (const ageS of [0, 1, 2, 16, 3_600]) {
      const before = Date.now();
      const died = before - ageS * 1_000;
      await redis.client.zadd(keys.deadIndex, died, line);
      await makeDue();
      const [burial] = (await queue.background.takeUntold(1, HOLD_MS)).taken;
      await queue.background.endTelling(burial!, 'again');
      const nextTry = Number(await redis.client.zscore(keys.untold, line));
      const after = Date.now();
      expect(nextTry).toBeGreaterThanOrEqual(before + waitAt(before, died));
      expect(nextTry).toBeLessThanOrEqual(after + waitAt(after, died));
    }
  });

  test('whose time is over change nothing of what another has', async () => {
    const queue = await queueOf();
    await bury(queue, message('a'));
    await makeDue();
    const [late] = (await queue.background.takeUntold(1, 0)).taken;
    await makeDue();
    const [now] = (await queue.background.takeUntold(1, HOLD_MS)).taken;
    for (const ending of ['told', 'again', 'open'] as const) await queue.background.endTelling(late!, ending);
    expect(await redis.client.zscore(keys.untold, now!.line)).toBe(now!.score);
    await queue.background.endTelling(now!, 'told');
    expect(await untold()).toBe(0);
  });

  test('forget what a build that knows nothing of them has replayed', async () => {
    const queue = await queueOf();
    await bury(queue, message('a'));
    await makeDue();
    await redis.client.del(keys.deadIndex, keys.deadLetters);
    expect(await queue.background.takeUntold(1, HOLD_MS)).toMatchObject({ taken: [], nextDueMs: undefined });
    expect(await untold()).toBe(0);
  });
});

describe.each([
  ['replay', replay, ['held', 'free'].map((id) => message(id))],
  ['purge', purge, []],
])('%s', (_, run, waiting) => {
  test('leaves alone what is being told, goes on behind it, and takes the entry of all others along', async () => {
    const queue = await queueOf();
    await bury(queue, message('held'));
    await makeDue();
    const [held] = (await queue.background.takeUntold(1, HOLD_MS)).taken;
    await bury(queue, message('free'));
    await redis.client.zadd(keys.untold, Date.now() + 30_000, (await redis.client.zrange(keys.untold, '0', '0'))[0]!);
    const until = Number(held!.score);
    const before = Date.now();
    const result = await run();
    const after = Date.now();
    expect(result).toMatchObject({ meant: 2, done: 1, beingTold: { letters: 1 } });
    expect(result.beingTold!.againInMs).toBeGreaterThanOrEqual(until - after);
    expect(result.beingTold!.againInMs).toBeLessThanOrEqual(until - before + 1);
    expect(await redis.client.zrange(keys.untold, '0', '-1')).toEqual([held!.line]);
    await queue.background.endTelling(held!, 'again');
    expect(await run()).toMatchObject({ meant: 1, done: 1 });
    expect([await untold(), await countDead(redis.client)]).toEqual([0, 0]);
    expect((await places(redis.client)).waiting.length).toBe(waiting.length);
  });
});

describe.each(['replay', 'purge'] as const)('%s, where the clock of Redis says that a telling is over', (kind) => {
  /** Before the real one by an hour or more, as after a step ahead. */
  const overtaken = async (line: string) => redis.client.zadd(keys.untold, Date.now() - 3_600_000.5, line);
  const lines = async () => redis.client.zrange(keys.untold, '0', '-1');

  /** What happens while it waits, by a clock on which long pauses pass at once. */
  function run(filter: MessageFilter, meanwhile: (ms: number) => Promise<unknown>): Promise<DeadLetterProgress> {
    let passed = 0;
    const sleep: Clock['sleep'] = async (ms, signal) => {
      if (ms < 5_000) return systemClock.sleep(ms, signal);
      await meanwhile(ms);
      passed += ms;
    };
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + passed, sleep };
    const config = { redis: redisConfig(redis.port), queue: queueConfig() };
    return withOperatorQueue(config, clock, ({ deadLetters }) => deadLetters[kind]({ filter, dryRun: false }));
  }

  test('does the others at once, and that one when any telling is over by our own', async () => {
    const queue = await queueOf();
    await bury(queue, message('told'));
    await overtaken((await lines())[0] ?? '');
    await bury(queue, message('other'));
    await redis.client.zadd(keys.untold, 1, (await lines())[1] ?? '');
    const met: unknown[] = [];
    const result = await run({}, async (ms) => met.push(ms, await countDead(redis.client)));
    expect(met).toEqual([expect.closeTo(15_000, -3), 1]);
    expect(result).toEqual({ seen: 2, total: 2, meant: 2, done: 2, unreadable: 0 });
    expect([await untold(), await countDead(redis.client)]).toEqual([0, 0]);
  });

  test('leaves alone what somebody has begun to tell meanwhile', async () => {
    const queue = await queueOf();
    await bury(queue, message('a'), message('b'));
    const [a = '', b = ''] = await lines();
    await overtaken(a);
    await overtaken(b);
    // the clock goes on: of these one is over by it, and nobody knows since when
    const takes = () => redis.client.zadd(keys.untold, Date.now() + 60_000.5, a, Date.now() + 1.5, b);
    const result = await run({}, takes);
    expect(result).toMatchObject({ meant: 2, done: 0, beingTold: { letters: 2 } });
    expect(await countDead(redis.client)).toBe(2);
  });

  test('waits for none that is named', async () => {
    const queue = await queueOf();
    await bury(queue, message('a'));
    await makeDue();
    expect(await run({ ids: ['a'] }, () => Promise.reject(new Error('it waits')))).toMatchObject({ done: 1 });
  });
});

test('nobody may touch what is open for 5 s, and what was buried untold for 1 s', async () => {
  const queue = await queueOf();
  await bury(queue, message('a'));
  const [line = ''] = await redis.client.zrange(keys.untold, '0', '0');
  const heldFor = async () => Number(await redis.client.zscore(keys.untold, line)) - Date.now();
  expect(await redis.client.zscore(keys.untold, line)).toMatch(/\.5$/);
  await makeDue();
  const [burial] = (await queue.background.takeUntold(1, HOLD_MS)).taken;
  const before = Date.now();
  await queue.background.endTelling(burial!, 'open');
  expect((await heldFor()) + Date.now() - before).toBeGreaterThanOrEqual(5_000);
  expect((await replay()).beingTold?.letters).toBe(1);
});
