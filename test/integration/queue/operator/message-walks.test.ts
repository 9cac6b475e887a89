import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import type { MessageFilter } from '../../../../src/domain/filter/message-filter.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import type { LivingPlace, WalkRequest } from '../../../../src/queue/messages/walk.js';
import { expectNoLeftovers } from '../../../support/program/leftovers.js';
import { claim, message, QUEUE, settle } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useOperator, useQueues } from '../queues.js';

expectNoLeftovers();
const redis = useRedis();
const onQueue = useOperator(redis);
const open = useQueues(redis);
const keys = redisKeys(QUEUE);

const HOUR_MS = 3_600_000;
const PLACES: readonly LivingPlace[] = ['waiting', 'in_flight', 'retry'];

const walk = (place: LivingPlace, filter: MessageFilter = {}, request: Omit<WalkRequest, 'filter'> = {}) =>
  onQueue(async ({ messages }) => {
    const steps = [];
    for await (const step of messages.walk(place, { filter, ...request })) steps.push(step);
    return steps;
  });

const ids = async (place: LivingPlace, filter: MessageFilter = {}) =>
  (await walk(place, filter)).flatMap(({ found }) => found.map(({ messageId }) => messageId));

let retries = 0;

/** As workers schedule them: the last is due last. */
async function retrying(...messages: readonly (string | Buffer)[]): Promise<void> {
  for (const raw of messages) {
    const unique = `0123456789ab${(retries += 1)}`;
    const member = Buffer.concat([Buffer.from(`${unique} id 30000:`), Buffer.from(raw)]);
    await redis.client.zadd(keys.retry, Date.now() + 30_000 + retries, member);
  }
}

/** In the order in which a walk finds them. */
async function putInto(place: LivingPlace, ...messages: readonly (string | Buffer)[]): Promise<void> {
  if (place === 'retry') return retrying(...messages);
  await redis.client.rpush(QUEUE, ...messages);
  if (place === 'waiting') return;
  const queue = await open();
  // large ones come one by one
  while ((await redis.client.llen(QUEUE)) > 0) await claim(queue, messages.length);
}

describe.each(PLACES)('of what is %s', (place) => {
  test('all are found, in their order, with what they say of themselves and every byte', async () => {
    const binary = Buffer.from([0xff, 0x00, 0x22]);
    const full =
      '{"message_id":"a","client_id":"c","domain":"d","attempt_count":3,"queued_at":"2026-01-15T10:30:00Z","n":12345678901234567890}';
    await putInto(place, full, binary, '{"message_id":""}');
    const found = (await walk(place)).flatMap((step) => step.found);
    expect(found).toMatchObject([
      { place, messageId: 'a', client: 'c', domain: 'd', attemptCount: 3, raw: Buffer.from(full), bytes: full.length },
      { messageId: undefined, client: undefined, attemptCount: 0, queuedAtMs: undefined, raw: binary, bytes: 3 },
      { messageId: undefined },
    ]);
    expect(found[0]?.queuedAtMs).toBe(Date.parse('2026-01-15T10:30:00Z'));
  });

  test.each<[string, MessageFilter, string[]]>([
    ['ids', { ids: ['b', 'ä/"', 'nobody'] }, ['b', 'ä/"']],
    ['client', { client: 'client ä' }, ['b', 'ä/"']],
    ['domain', { domain: 'x.org' }, ['a', 'nested']],
    ['beginning of the id', { idPrefix: 'ä/' }, ['ä/"']],
    ['client and domain', { client: 'client b', domain: 'x.org' }, ['a']],
    ['text', { text: '"say":"hi' }, ['b']],
    ['text of the id', { text: 'nested' }, ['nested']],
    ['newer than', { newerThanMs: HOUR_MS }, ['b']],
    ['older than', { olderThanMs: HOUR_MS }, ['a', 'ä/"']],
    ['since', { sinceMs: Date.parse('2026-01-15T09:30:00Z') }, ['b', 'ä/"']],
    ['until', { untilMs: Date.parse('2026-01-15T09:30:00Z') }, ['a', 'ä/"']],
    ['reason', { reason: 'http_503' }, ['a']],
    ['answer', { answer: 'no cap' }, ['b']],
    ['answer of an earlier attempt', { answer: 'earlier' }, []],
    ['reason and answer', { reason: 'http_503', answer: 'no cap' }, []],
  ])('the filter by %s means only those', async (_name, filter, meant) => {
    const now = new Date().toISOString();
    await putInto(
      place,
      '{"message_id":"a","client_id":"client b","domain":"x.org","queued_at":"2026-01-15T09:29:59.9Z"}',
      `{"message_id" : "b","client_id": "client \\u00e4","say":"hi","queued_at":"${now}"}`,
      // as PHP writes it, and a time that is not in UTC
      '{"message_id":"\\u00e4\\/\\"","client_id":"client ä","queued_at":"2026-01-15T10:30:00+01:00"}',
      '{"metadata":{"message_id":"a","client_id":"client ä"},"message_id":"nested","domain":"x.org"}',
      'not JSON: "message_id":"b"',
    );
    const failure = (reason: string, answer: string) =>
      JSON.stringify({ at: now, reason, status: 503, answer, worker_id: 'worker-1' });
    const failures = {
      a: failure('http_503', ''),
      b: `${failure('http_503', 'earlier')}\n${failure('timeout', 'no capacity')}`,
    };
    await redis.client.hset(keys.failures, failures);
    expect(await ids(place, filter)).toEqual(meant);
  });

  test('a walk goes on where an earlier one ended, however few a step may find', async () => {
    await putInto(place, ...['a', 'b', 'c', 'd', 'e'].map((id) => message(id)));
    const found: unknown[] = [];
    let after: string | undefined;
    do {
      const [step] = await walk(place, {}, { mostMatches: 2, ...(after === undefined ? {} : { after }) });
      expect(step).toMatchObject({ total: 5 });
      found.push(step?.found.map(({ messageId }) => messageId));
      after = step?.next;
    } while (after !== undefined);
    expect(found).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  test('thousands, of which some are large, are looked at in bounded steps', async () => {
    const large = JSON.stringify({ message_id: 'large', body: 'x'.repeat(600_000) });
    const some = Array.from({ length: 2_500 }, (_, at) => (at % 500 === 7 ? large : message(`m${at}`)));
    await putInto(place, ...some);
    const steps = await walk(place, {}, { mostBytes: 100 });
    expect(Math.max(...steps.map(({ looked }) => looked))).toBeLessThanOrEqual(1_000);
    expect(steps.flatMap(({ found }) => found)).toHaveLength(2_500);
    expect(steps.flatMap(({ found }) => found)[7]).toMatchObject({ messageId: 'large', bytes: large.length });
    const whole = await walk(place, { ids: ['large'] });
    expect(Math.max(...whole.map(({ found }) => found.length))).toBeLessThanOrEqual(2);
    expect(whole.flatMap(({ found }) => found.map(({ raw }) => raw.length))).toEqual(Array(5).fill(large.length));
  });

  test('a cursor that is none of ours begins at the first, and nothing is found where there is nothing', async () => {
    expect(await walk(place, {}, { after: 'x y z' })).toEqual([{ found: [], looked: 0, total: 0, next: undefined }]);
    await putInto(place, message('a'));
    expect((await walk(place, {}, { after: 'x y z' })).flatMap(({ found }) => found)).toHaveLength(1);
  });
});

test('pushes and claims beside a walk over what waits hide none of those that stay', async () => {
  await redis.client.rpush(QUEUE, ...Array.from({ length: 3_000 }, (_, at) => message(`m${at}`)));
  const met = await onQueue(async ({ messages }) => {
    const found: (string | undefined)[] = [];
    for await (const step of messages.walk('waiting', { filter: {} })) {
      found.push(...step.found.map(({ messageId }) => messageId));
      await redis.client.lpush(QUEUE, ...Array.from({ length: 100 }, () => message('new')));
      await redis.client.rpop(QUEUE, 100);
    }
    return new Set(found);
  });
  const left = (await redis.client.lrange(QUEUE, 0, -1)).map(
    (raw) => (JSON.parse(raw) as { message_id: string }).message_id,
  );
  expect(left.filter((id) => id !== 'new' && !met.has(id))).toEqual([]);
});

test('waiting ones say which of those to be claimed they are', async () => {
  await redis.client.lpush(QUEUE, message('next'), message('then'));
  const found = (await walk('waiting')).flatMap((step) => step.found);
  expect(found).toMatchObject([
    { messageId: 'then', index: 0, number: 2 },
    { messageId: 'next', index: 1, number: 1 },
  ]);
});

test('claims say whose they are, those of consumers that nobody knows any more among them', async () => {
  await redis.client.lpush(QUEUE, message('a'), message('b'));
  const [one, other] = [await open('worker-1'), await open('worker-2')];
  await claim(one, 1);
  await claim(other, 1);
  await redis.client.zadd(keys.consumers, -1, 'gone');
  await redis.client.lpush(keys.processing('gone'), message('late'));
  const found = (await walk('in_flight')).flatMap((step) => step.found);
  expect(found).toMatchObject([
    { messageId: 'late', consumer: 'gone' },
    { messageId: 'a', consumer: one.consumer },
    { messageId: 'b', consumer: other.consumer },
  ]);
});

describe('retries', () => {
  test('say when they are due, of how long a wait, and what their member begins with', async () => {
    const queue = await open();
    await redis.client.lpush(QUEUE, message('a'));
    const [taken] = await claim(queue, 1);
    if (!taken) throw new Error('nothing was claimed');
    await settle(queue, { kind: 'retry', claim: taken, message: taken.raw, messageId: 'a', delayMs: 30_000 });
    const [found] = (await walk('retry')).flatMap((step) => step.found);
    expect(found).toMatchObject({ messageId: 'a', intervalMs: 30_000 });
    if (found?.place !== 'retry') throw new Error('not found');
    expect(found.dueInMs).toBeGreaterThan(0);
    expect(found.dueInMs).toBeLessThanOrEqual(30_000);
    const member = Buffer.concat([found.head, Buffer.from(':'), found.raw]);
    expect(await redis.client.zscore(keys.retry, member)).toBe(found.score);
  });

  test('that are due within a time are found without looking at the others', async () => {
    const now = Date.now();
    for (const [at, id] of ['now', 'soon', 'later'].entries()) {
      await redis.client.zadd(keys.retry, now + at * 20_000, `0123456789ab${at} id 60000:${message(id)}`);
    }
    expect(await ids('retry', { dueWithinMs: 25_000 })).toEqual(['now', 'soon']);
    expect(await ids('retry', { dueWithinMs: 0 })).toEqual(['now']);
  });

  test('of one due time are each met once, though those before them leave', async () => {
    for (let at = 0; at < 2_500; at += 1) {
      await redis.client.zadd(keys.retry, 5_000, `0123456789ab${at.toString(36)} id 30000:${message(`m${at}`)}`);
    }
    const met = await onQueue(async ({ messages }) => {
      const found: (string | undefined)[] = [];
      for await (const step of messages.walk('retry', { filter: {} })) {
        found.push(...step.found.map(({ messageId }) => messageId));
        await redis.client.zremrangebyrank(keys.retry, 0, 499);
        await redis.client.zadd(keys.retry, 6_000, `0123456789ab new 30000:${message('meanwhile')}`);
      }
      return found;
    });
    expect(met).toHaveLength(2_500);
    expect(new Set(met).size).toBe(2_500);
  });

  test('are passed over that no worker wrote', async () => {
    await redis.client.zadd(keys.retry, '-inf', 'foreign', 1, `foreign too: ${message('x')}`, 2, 'foreign');
    await retrying(message('a'));
    await redis.client.zadd(keys.retry, 3, `0123456789abc id:${message('earlier')}`);
    const found = (await walk('retry')).flatMap((step) => step.found);
    expect(found).toMatchObject([{ messageId: 'earlier', intervalMs: undefined }, { messageId: 'a' }]);
  });
});
