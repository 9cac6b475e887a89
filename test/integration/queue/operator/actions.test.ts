import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { isCancelMarker } from '../../../../src/domain/cancelled.js';
import { readDeadLetter } from '../../../../src/domain/dead-letters/dead-letter.js';
import { hourOf } from '../../../../src/domain/failures/hours.js';
import type { MessageFilter } from '../../../../src/domain/filter/message-filter.js';
import type { ActionRun } from '../../../../src/queue/actions/run.js';
import type { RedisQueue } from '../../../../src/queue/claims/claims-and-settlements.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import { expectNoLeftovers } from '../../../support/program/leftovers.js';
import { claim, message, places, QUEUE, settle } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useOperator, useQueues } from '../queues.js';

expectNoLeftovers();
const redis = useRedis();
const queueOf = useQueues(redis);
const onQueue = useOperator(redis);
const keys = redisKeys(QUEUE);

const retryNow = (filter: MessageFilter = {}, run: Partial<ActionRun> = {}) =>
  onQueue(({ actions }) => actions.retry({ filter, dryRun: false, ...run }));
const cancel = (filter: MessageFilter = {}, run: Partial<ActionRun> = {}) =>
  onQueue(({ actions }) => actions.cancel({ filter, dryRun: false, ...run }));

const push = (...raws: readonly (string | Buffer)[]) => redis.client.lpush(QUEUE, ...raws);

async function redisNow(): Promise<number> {
  const [seconds = 0, micros = 0] = (await redis.client.time()).map(Number);
  return seconds * 1_000 + Math.floor(micros / 1_000);
}

/** It failed so long ago, as far as its score says. */
async function failed(
  queue: RedisQueue,
  raw: string,
  id: string,
  { agoMs = 0, intervalMs = 30_000 } = {},
): Promise<void> {
  await push(raw);
  const [taken] = await claim(queue, 1);
  await settle(queue, { kind: 'retry', claim: taken!, message: taken!.raw, messageId: id, delayMs: intervalMs });
  const [member = ''] = await redis.client.zrevrange(keys.retry, 0, 0);
  await redis.client.zincrby(keys.retry, -agoMs, member);
}

/** Message → when it is due, ms on Redis's clock. */
async function dueAt(): Promise<Record<string, number>> {
  const scored = await redis.client.zrange(keys.retry, '0', '-1', 'WITHSCORES');
  const pairs = scored.flatMap((member, at) =>
    at % 2 === 0 ? [[member.slice(member.indexOf(':') + 1), Number(scored[at + 1])]] : [],
  );
  return Object.fromEntries(pairs) as Record<string, number>;
}

const letters = async () => (await places(redis.client)).dead.map((text) => readDeadLetter(text)!);
const waiting = async () => (await places(redis.client)).waiting.filter((raw) => !isCancelMarker(Buffer.from(raw)));

describe('retry', () => {
  test('makes due what failed long enough ago, in the order of the failures, and promotes it byte for byte', async () => {
    const queue = await queueOf();
    const raws = ['c', 'a', 'b'].map((id, at) =>
      JSON.stringify({ message_id: id, n: 12345678901234567890n.toString(), at }),
    );
    for (const [at, raw] of raws.entries()) await failed(queue, raw, 'cab'[at] ?? '', { agoMs: 20_000 - at * 10 });
    expect(await retryNow()).toMatchObject({ seen: 3, total: 3, meant: 3, done: 3, later: 0, isInterrupted: false });
    expect((await queue.background.promoteDue(10)).messageIds).toEqual(['c', 'a', 'b']);
    expect(await waiting()).toEqual(raws.toReversed());
  });

  test('leaves alone until then what a status may be on its way of, however often it is asked', async () => {
    const queue = await queueOf();
    await failed(queue, 'older', 'older', { agoMs: 1_000 });
    await failed(queue, 'fast', 'fast', { intervalMs: 10_000 });
    await failed(queue, 'young', 'young');
    const before = await dueAt();
    const [since, answers, until] = [await redisNow(), [await retryNow()], await redisNow()];
    const due = await dueAt();
    // a failure is its interval before its first score
    expect(due['older']).toBe(before['older']! - 30_000 + 12_000);
    expect(due['fast']).toBe(before['fast']! - 10_000 + 9_000);
    expect(due['young']).toBe(before['young']! - 30_000 + 12_000);
    expect(answers[0]?.laterMs).toBeGreaterThanOrEqual(due['young']! - until - 1);
    expect(answers[0]?.laterMs).toBeLessThanOrEqual(due['young']! - since + 1);
    answers.push(await retryNow(), await retryNow());
    expect(answers.map(({ meant, done, already, later }) => [meant, done, already, later])).toEqual([
      [3, 3, 0, 3],
      [3, 0, 3, 0],
      [3, 0, 3, 0],
    ]);
    expect(await dueAt()).toEqual(due);
    expect((await queue.background.promoteDue(10)).moved).toBe(0);
  });

  test('goes by when it failed and by no clock: one that was set ahead makes nothing due sooner to who knows it', async () => {
    const queue = await queueOf();
    await failed(queue, 'young', 'young');
    const before = await redisNow();
    // as seen after a step of 20 s ahead: it failed 20 s ago
    await redis.client.zincrby(keys.retry, -20_000, (await redis.client.zrange(keys.retry, '0', '0'))[0] ?? '');
    expect(await retryNow()).toMatchObject({ done: 1, later: 0 });
    const byOldReckoning = { latest: before - 20_000 + 1_000 };
    expect((await queue.background.promoteDue(10, byOldReckoning)).moved).toBe(0);
    expect((await queue.background.promoteDue(10, { latest: before - 20_000 + 12_100 })).moved).toBe(1);
  });

  test('passes over what is not ours and what an earlier build scheduled, and says the latter', async () => {
    const due = (await redisNow()) + 20_000;
    await redis.client.zadd(
      keys.retry,
      due,
      'no head at all',
      due + 1,
      'abcdefabcdef1 id:earlier',
      '-inf',
      'put aside',
    );
    const before = await redis.client.zrange(keys.retry, '0', '-1', 'WITHSCORES');
    expect(await retryNow()).toMatchObject({ meant: 1, done: 0, earlier: 1 });
    expect(await redis.client.zrange(keys.retry, '0', '-1', 'WITHSCORES')).toEqual(before);
  });

  test('a dry run counts, says which, and changes nothing', async () => {
    const queue = await queueOf();
    await failed(queue, message('a'), 'a', { agoMs: 20_000 });
    await failed(queue, message('b'), 'b');
    const before = await redis.client.zrange(keys.retry, '0', '-1', 'WITHSCORES');
    const met: unknown[] = [];
    expect(await retryNow({}, { dryRun: true, onMeant: (which) => met.push(which) })).toMatchObject({
      meant: 2,
      done: 0,
    });
    expect(met).toEqual([
      { place: 'retry', messageId: 'a' },
      { place: 'retry', messageId: 'b' },
    ]);
    expect(await redis.client.zrange(keys.retry, '0', '-1', 'WITHSCORES')).toEqual(before);
  });

  test('of thousands each once, also of those that are due in the same millisecond', async () => {
    const queue = await queueOf();
    const due = (await redisNow()) + 10_000;
    const members = Array.from({ length: 3_000 }, (_, at) => [
      due + (at % 3),
      `0123456789ab${at} id-${at} 30000:${message(`id-${at}`)}`,
    ]);
    await redis.client.zadd(keys.retry, ...members.flat());
    const odd = { idPrefix: 'id-1' };
    const meant = members.filter((_, at) => String(at).startsWith('1')).length;
    expect(await retryNow(odd)).toMatchObject({ seen: 3_000, meant, done: meant, already: 0 });
    expect(await retryNow()).toMatchObject({ seen: 3_000, meant: 3_000, done: 3_000 - meant, already: meant });
    let moved = 0;
    for (let more = 1; more > 0; moved += more) more = (await queue.background.promoteDue(200)).moved;
    expect(moved).toBe(3_000);
    expect(new Set(await waiting()).size).toBe(3_000);
  });
});

describe('cancel', () => {
  test('takes waiting messages out, byte for byte, and leaves markers that hold nothing', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"message_id":"latin","client_id":"x","t":"'),
      Buffer.from([0xfc, 0xff]),
      Buffer.from('"}'),
    ]);
    await push(
      message('keep'),
      bytes,
      '{"message_id":"twin","client_id":"x"}',
      '{"message_id":"twin","client_id":"x"}',
    );
    expect(await cancel({ client: 'x' })).toMatchObject({ meant: 3, done: 3 });
    const found = await letters();
    expect(found.map(({ reason, attemptCount, workerId }) => [reason, attemptCount, workerId])).toEqual(
      Array(3).fill(['cancelled', 0, 'operator']),
    );
    expect(found.some(({ raw }) => raw.equals(bytes))).toBe(true);
    expect(await waiting()).toEqual([message('keep')]);
    expect(await redis.client.llen(QUEUE)).toBe(4);
    expect(await redis.client.zcard(keys.untold)).toBe(3);
    expect(await cancel({ client: 'x' })).toMatchObject({ meant: 0, done: 0 });
  });

  test('takes retries out, and has nobody told, replay or purge them before a status has had its effect', async () => {
    const queue = await queueOf();
    await failed(queue, message('young', 1), 'young');
    await failed(queue, message('old', 1), 'old', { agoMs: 25_000 });
    const due = Object.values(await dueAt());
    expect(await cancel()).toMatchObject({ meant: 2, done: 2 });
    expect((await letters()).map(({ attemptCount }) => attemptCount)).toEqual([1, 1]);
    const now = await redisNow();
    const scores = await Promise.all(
      (await redis.client.zrange(keys.untold, '0', '-1')).map((line) => redis.client.zscore(keys.untold, line)),
    );
    expect(Number(scores[0]) - now).toBeLessThanOrEqual(1_001);
    expect(Math.abs(Number(scores[1]) - (Math.max(...due) - 30_000 + 12_000))).toBeLessThanOrEqual(1);
    const replayed = await onQueue(({ deadLetters }) => deadLetters.replay({ filter: {}, dryRun: false }));
    // the other one is free a second after its burial
    expect(replayed.done).toBeLessThan(2);
    expect(replayed.beingTold?.againInMs).toBeGreaterThan(10_000);
  });

  test('takes what is kept of failed attempts along into the letter', async () => {
    const queue = await queueOf();
    await failed(queue, message('r', 1), 'r');
    await push(message('w', 1));
    const line = '{"at":"2025-01-15T10:30:45.123Z","reason":"http_503","status":503,"worker_id":"w","answer":"full"}';
    await redis.client.hset(keys.failures, 'r', line, 'w', line, 'other', line);
    await cancel();
    const kept = (await letters()).map(({ failures }) => failures.map(({ reason, answer }) => [reason, answer]));
    expect(kept).toEqual([[['http_503', 'full']], [['http_503', 'full']]]);
    expect(await redis.client.hkeys(keys.failures)).toEqual(['other']);
  });

  test('is told as such', async () => {
    const queue = await queueOf();
    await push(message('m', 2));
    await cancel();
    for (const line of await redis.client.zrange(keys.untold, '0', '-1')) await redis.client.zadd(keys.untold, 1, line);
    const { taken } = await queue.background.takeUntold(8, 60_000);
    expect(taken).toMatchObject([{ messageId: 'm', attemptCount: 2, errorMessage: 'Cancelled by an operator' }]);
  });

  test('leaves claimed ones to their worker', async () => {
    const queue = await queueOf();
    await push(message('a'), message('b'));
    await claim(queue, 1);
    expect(await cancel()).toMatchObject({ meant: 1, done: 1 });
    expect((await places(redis.client)).processing).toEqual([message('a')]);
  });

  test('finds what pushes, claims and hand-backs have moved between the look and the step', async () => {
    const queue = await queueOf();
    await push(...Array.from({ length: 500 }, (_, at) => message(`m-${at}`)));
    let steps = 0;
    const meddle = async (): Promise<void> => {
      steps += 1;
      await push(...Array.from({ length: 170 }, (_, at) => message(`later-${steps}-${at}`)));
      const [first, second] = await claim(queue, 2);
      await settle(queue, { kind: 'ack', claim: first! }, { kind: 'hand-back', claim: second! });
    };
    const wanted = { idPrefix: 'm-', ids: Array.from({ length: 250 }, (_, at) => `m-${at + 150}`) };
    const original = redis.client;
    const result = await onQueue(async ({ actions }) => {
      const running = actions.cancel({ filter: wanted, dryRun: false });
      for (let at = 0; at < 5; at++) await meddle();
      return running;
    });
    expect(result).toMatchObject({ meant: 250, done: 250 });
    const left = await waiting();
    expect(left.filter((raw) => raw.includes('"m-'))).toHaveLength(500 - 250 - 5);
    expect(left.filter((raw) => raw.includes('later'))).toHaveLength(5 * 170);
    expect(await original.zcard(keys.deadIndex)).toBe(250);
  });

  test('two at once take each message out once', async () => {
    await push(...Array.from({ length: 1_500 }, (_, at) => message(`m-${at}`)));
    const results = await Promise.all([cancel(), cancel(), cancel()]);
    expect(results.reduce((sum, { done }) => sum + done, 0)).toBe(1_500);
    expect(await redis.client.zcard(keys.deadIndex)).toBe(1_500);
    expect(await waiting()).toEqual([]);
  });

  test('ends after the step in which somebody wants it to, and goes on when repeated', async () => {
    await push(...Array.from({ length: 5_000 }, (_, at) => message(`m-${at}`)));
    const stop = new AbortController();
    const first = await cancel({}, { signal: stop.signal, onProgress: ({ done }) => done > 0 && stop.abort() });
    expect(first).toMatchObject({ isInterrupted: true });
    expect(first.done).toBeGreaterThan(0);
    expect(first.done).toBeLessThan(5_000);
    expect(await cancel()).toMatchObject({ done: 5_000 - first.done, isInterrupted: false });
    expect(await redis.client.zcard(keys.deadIndex)).toBe(5_000);
  });

  test('of a user who may not overwrite in a list, or not write letters, changes nothing and says what is missing', async () => {
    const queue = await queueOf();
    await push(message('a'));
    await failed(queue, message('r'), 'r');
    await push(message('b'));
    const before = await places(redis.client);
    for (const [rule, name] of [
      ['-lset', 'LSET'],
      ['-hset', 'HSET'],
      ['-zadd', 'ZADD'],
    ] as const) {
      await redis.client.acl('SETUSER', 'default', rule);
      await expect(cancel({ places: ['waiting'] })).rejects.toThrow(name);
      await redis.client.acl('SETUSER', 'default', '+@all');
      expect(await places(redis.client)).toEqual(before);
      expect(await redis.client.exists(keys.deadIndex, keys.deadLetters, keys.untold)).toBe(0);
    }
    await redis.client.acl('SETUSER', 'default', '-hset');
    await expect(cancel({ places: ['retry'] })).rejects.toThrow('HSET');
    await redis.client.acl('SETUSER', 'default', '+@all');
    expect(await places(redis.client)).toEqual(before);
  });
});

describe('erase', () => {
  test('ends well where Redis refuses to clear the examples: another type at the name of an hour', async () => {
    await push(message('to-erase'));
    await redis.client.set(keys.failuresIn(hourOf(Date.now())), 'of another program');
    const erased = await onQueue(({ actions }) => actions.erase('to-erase'));
    expect(erased).toEqual({ living: 1, letters: 0, isClaimed: false, againInMs: 0 });
  });

  test('leaves nothing of a message, wherever it lay and whatever was kept of it', async () => {
    const queue = await queueOf();
    await failed(queue, message('to-erase', 1), 'to-erase');
    await push(message('to-erase'), message('other'));
    await cancel({ ids: ['to-erase'], places: ['waiting'] });
    for (const line of await redis.client.zrange(keys.untold, '0', '-1')) await redis.client.zadd(keys.untold, 1, line);
    await push(message('to-erase', 2));
    await redis.client.hset(keys.failures, 'to-erase', '{}', 'other', '{}');
    const hour = keys.failuresIn(hourOf(Date.now() - 7 * 86_400_000));
    await redis.client.hset(hour, 'timeout   ', '3 5 7 to-erase', 'http_503 503  ', '2 5 7 other');
    const erased = await onQueue(({ actions }) => actions.erase('to-erase'));
    expect(erased).toEqual({ living: 2, letters: 1, isClaimed: false, againInMs: 0 });
    expect(await waiting()).toEqual([message('other')]);
    const { retry, dead, waiting: all } = await places(redis.client);
    expect([retry, dead, await redis.client.zcard(keys.untold)]).toEqual([[], [], 0]);
    expect(all.some((raw) => raw.includes('to-erase'))).toBe(false);
    expect(await redis.client.hkeys(keys.failures)).toEqual(['other']);
    expect(await redis.client.hgetall(hour)).toEqual({ 'timeout   ': '3 5 7 ', 'http_503 503  ': '2 5 7 other' });
    const everything = (await redis.client.keys('*')).map(async (key) => String(await redis.client.dumpBuffer(key)));
    expect((await Promise.all(everything)).filter((text) => text.includes('to-erase'))).toEqual([]);
  });

  test('of one that is claimed leaves everything as it is', async () => {
    const queue = await queueOf();
    await push(message('m'));
    await claim(queue, 1);
    await push(message('m', 2));
    const before = await places(redis.client);
    expect(await onQueue(({ actions }) => actions.erase('m'))).toMatchObject({ living: 0, isClaimed: true });
    expect(await places(redis.client)).toEqual(before);
  });
});
