import { expect, test } from 'vitest';

import type { DeadLetterReason } from '../../../src/domain/dead-letter-reasons.js';
import { deadLetter } from '../../../src/domain/dead-letter.js';
import type { DeadLetterFilter } from '../../../src/domain/dead-letter-filter.js';
import { withOperatorQueue, type OperatorQueue } from '../../../src/queue/operator-queue.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { places, QUEUE, redisConfig } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';

expectNoLeftovers();
const redis = useRedis();
const DEAD = `{${QUEUE}}:dead`;
const HOUR_MS = 3_600_000;

function onQueue<T>(use: (queue: OperatorQueue) => Promise<T>, port = redis.port): Promise<T> {
  return withOperatorQueue({ redis: redisConfig(port), queue: { name: QUEUE, reliable: true } }, systemClock, use);
}

/** The first is the oldest, as workers bury them. */
async function bury(...letters: { raw: string | Buffer; reason?: DeadLetterReason; ageMs?: number }[]): Promise<void> {
  for (const { raw, reason = 'max_attempts_exceeded', ageMs = 0 } of letters) {
    await redis.client.lpush(
      DEAD,
      deadLetter({
        raw: Buffer.from(raw),
        reason,
        error: 'HTTP 503',
        attemptCount: 7,
        workerId: 'worker-1',
        deadAt: systemClock.wallNow() - ageMs,
      }),
    );
  }
}

const message = (id: string, attempts = 7): string =>
  `{"message_id": "${id}", "n":12345678901234567890,"attempt_count":${attempts}}`;

const replay = (filter: DeadLetterFilter = {}, dryRun = false) =>
  onQueue(({ deadLetters }) => deadLetters.replay({ filter, dryRun }));

test('replay puts the oldest first, with attempts counted from 0 and no other byte changed', async () => {
  await bury({ raw: message('a') }, { raw: message('b') }, { raw: message('c') });
  await redis.client.lpush(QUEUE, 'waiting before');
  expect(await replay()).toEqual({ seen: 3, total: 3, meant: 3, done: 3, unreadable: 0 });
  expect((await places(redis.client)).waiting).toEqual([
    message('c', 0),
    message('b', 0),
    message('a', 0),
    'waiting before',
  ]);
  expect((await places(redis.client)).dead).toEqual([]);
});

test('what cannot be parsed is put back byte for byte, and what is no envelope stays', async () => {
  const binary = Buffer.from([0xff, 0x00, 0x22]);
  await bury({ raw: binary, reason: 'malformed' });
  await redis.client.lpush(DEAD, 'no envelope');
  expect(await replay()).toMatchObject({ meant: 2, done: 1, unreadable: 1 });
  expect(await redis.client.lrangeBuffer(QUEUE, 0, -1)).toEqual([binary]);
  expect((await places(redis.client)).dead).toEqual(['no envelope']);
});

test.each<[string, DeadLetterFilter, string[]]>([
  ['reason', { reason: 'malformed' }, ['new']],
  ['older than', { olderThanMs: HOUR_MS }, ['old']],
  ['newer than', { newerThanMs: HOUR_MS }, ['young', 'new']],
  ['ids', { ids: ['young', 'nobody'] }, ['young']],
  ['both', { reason: 'malformed', olderThanMs: HOUR_MS }, []],
])('the filter by %s means only those', async (_, filter, ids) => {
  await bury(
    { raw: message('old', 0), ageMs: 2 * HOUR_MS },
    { raw: message('young', 0) },
    { raw: message('new', 0), reason: 'malformed' },
  );
  const page = await onQueue(({ deadLetters }) => deadLetters.list(filter, 50, ({ messageId }) => messageId));
  expect(page.entries).toEqual(ids.toReversed());
  expect(await replay(filter, true)).toMatchObject({ meant: ids.length, done: 0 });
  expect((await places(redis.client)).dead).toHaveLength(3);
  expect(await replay(filter)).toMatchObject({ meant: ids.length, done: ids.length });
  const { waiting, dead } = await places(redis.client);
  expect(waiting).toEqual(ids.toReversed().map((id) => message(id, 0)));
  expect(dead).toHaveLength(3 - ids.length);
});

test('thousands, of which some die again meanwhile, are each moved once; two operators share them', async () => {
  await bury(...Array.from({ length: 1_500 }, (_, at) => ({ raw: message(`m${at}`) })));
  let buried = 0;
  const busy = onQueue(({ deadLetters }) =>
    deadLetters.replay({
      filter: {},
      dryRun: false,
      onProgress: () => void ((buried += 1), void bury({ raw: message(`again${buried}`) })),
    }),
  );
  const [first, second] = await Promise.all([busy, replay()]);
  expect(first.done + second.done).toBeGreaterThanOrEqual(1_500);
  const { waiting, dead } = await places(redis.client);
  expect(new Set(waiting).size).toBe(waiting.length);
  expect(waiting.length + dead.length).toBe(1_500 + buried);
  expect(waiting.filter((text) => /"m\d/.test(text))).toHaveLength(1_500);
});

test('byte-identical letters stay as many as they were', async () => {
  const at = systemClock.wallNow();
  const same = deadLetter({
    raw: Buffer.from(message('twin')),
    reason: 'poison',
    error: '',
    attemptCount: 7,
    workerId: 'w',
    deadAt: at,
  });
  await redis.client.lpush(DEAD, same, same);
  expect(await replay()).toMatchObject({ done: 2 });
  expect((await places(redis.client)).waiting).toHaveLength(2);
});

test('a letter is found by number and by key, and purge deletes only what is meant', async () => {
  await bury({ raw: message('a') }, { raw: message('b'), reason: 'poison' });
  await onQueue(async ({ deadLetters }) => {
    const newest = await deadLetters.find('1');
    expect(newest).toMatchObject({ number: 1, messageId: 'b' });
    expect(await deadLetters.find(newest?.key ?? '')).toMatchObject({ number: 1, messageId: 'b' });
    expect(await deadLetters.find('3')).toBeUndefined();
    expect(await deadLetters.find('0')).toBeUndefined();
    expect(await deadLetters.find('feedfeedfeed')).toBeUndefined();
    expect(await deadLetters.purge({ filter: { reason: 'poison' }, dryRun: false })).toMatchObject({ done: 1 });
    expect((await deadLetters.list({}, 10, ({ messageId }) => messageId)).entries).toEqual(['a']);
  });
});

test('a queue that is no list refuses the message, which stays dead', async () => {
  await bury({ raw: message('a') });
  await redis.client.set(QUEUE, 'a string');
  await expect(replay()).rejects.toThrow(/refused to take a message back/);
  expect(await redis.client.llen(DEAD)).toBe(1);
});

test('without Redis it says so', async () => {
  await expect(onQueue(({ sizes }) => sizes(), 1)).rejects.toThrow(/Cannot connect to Redis at 127.0.0.1:1/);
});
