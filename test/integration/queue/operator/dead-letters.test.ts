import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';

import type { DeadLetterReason } from '../../../../src/domain/dead-letters/reasons.js';
import { deadLetter, readDeadLetter } from '../../../../src/domain/dead-letters/dead-letter.js';
import { indexLine } from '../../../../src/domain/dead-letters/index-line.js';
import type { MessageFilter } from '../../../../src/domain/filter/message-filter.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { expectNoLeftovers } from '../../../support/program/leftovers.js';
import { claim, openQueue, places, QUEUE, settle } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import { useOperator } from '../queues.js';

expectNoLeftovers();
const redis = useRedis();
const keys = redisKeys(QUEUE);
const DEAD = keys.dead;
const HOUR_MS = 3_600_000;

const onQueue = useOperator(redis);

interface Buried {
  readonly raw: string | Buffer;
  readonly reason?: DeadLetterReason;
  readonly ageMs?: number;
  readonly error?: string;
  /** Of the last failure. */
  readonly answer?: string;
}

let buried = 0;

/** The first is the oldest, as workers of this version bury them. */
async function bury(...letters: readonly Buried[]): Promise<void> {
  for (const letter of letters) {
    const { stored, deadAt } = envelopeOf(letter);
    const line = indexLine(`0123456789ab-${(buried += 1)}`, readDeadLetter(stored));
    await redis.client.hset(keys.deadLetters, line.split(' ')[0] ?? '', stored);
    // at such times doubles are 1/4096 apart: what is closer is sorted by its number as text, 100 before 99
    await redis.client.zadd(keys.deadIndex, deadAt + buried / 1_000, line);
  }
}

/** As those of earlier versions do. */
async function buryInList(...letters: readonly Buried[]): Promise<void> {
  for (const letter of letters) await redis.client.lpush(DEAD, envelopeOf(letter).stored);
}

function envelopeOf({ raw, reason = 'max_attempts_exceeded', ageMs = 0, error = 'HTTP 503', answer }: Buried) {
  const deadAt = systemClock.wallNow() - ageMs;
  const stored = deadLetter({ raw: Buffer.from(raw), reason, error, attemptCount: 7, workerId: 'worker-1', deadAt });
  if (answer === undefined) return { stored, deadAt };
  const failures = JSON.stringify([
    { answer: 'the first', reason: 'timeout' },
    { answer, reason: 'http_404' },
  ]);
  return { stored: Buffer.from(`{"failures":${failures},${String(stored).slice(1)}`), deadAt };
}

const message = (id: string, attempts = 7): string =>
  `{"message_id": "${id}", "n":12345678901234567890,"attempt_count":${attempts}}`;

const replay = (filter: MessageFilter = {}, dryRun = false) =>
  onQueue(({ deadLetters }) => deadLetters.replay({ filter, dryRun }));

const ids = async (filter: MessageFilter = {}, limit = 50) =>
  (await onQueue(({ deadLetters }) => deadLetters.list({ filter, limit }, ({ messageId }) => messageId))).entries;

describe.each([
  ['this version', bury],
  ['an earlier version', buryInList],
])('letters of %s', (_, buryThem) => {
  test('replay puts the oldest first, with attempts counted from 0 and no other byte changed', async () => {
    await buryThem({ raw: message('a') }, { raw: message('b') }, { raw: message('c') });
    await redis.client.lpush(QUEUE, 'waiting before');
    expect(await replay()).toEqual({ seen: 3, total: 3, meant: 3, done: 3, unreadable: 0 });
    expect((await places(redis.client)).waiting).toEqual([
      message('c', 0),
      message('b', 0),
      message('a', 0),
      'waiting before',
    ]);
    expect((await places(redis.client)).dead).toEqual([]);
    expect(await redis.client.keys('*dead*')).toEqual([]);
  });

  test('what cannot be parsed is put back byte for byte', async () => {
    const binary = Buffer.from([0xff, 0x00, 0x22]);
    await buryThem({ raw: binary, reason: 'malformed' });
    expect(await replay()).toMatchObject({ meant: 1, done: 1, unreadable: 0 });
    expect(await redis.client.lrangeBuffer(QUEUE, 0, -1)).toEqual([binary]);
  });

  test.each<[string, MessageFilter, string[]]>([
    ['reason', { reason: 'malformed' }, ['new']],
    ['older than', { olderThanMs: HOUR_MS }, ['old']],
    ['newer than', { newerThanMs: HOUR_MS }, ['young', 'new']],
    ['ids', { ids: ['young', 'nobody'] }, ['young']],
    ['client', { client: 'client b' }, ['young', 'new']],
    ['domain', { domain: 'exämple.org' }, ['old']],
    ['client and domain', { client: 'client b', domain: 'y' }, ['new']],
    ['text in the message', { text: '"say":"Hi \\"you\\" ä' }, ['young']],
    ['text in the error', { text: 'refused "new' }, ['new']],
    ['a text that is only in the envelope', { text: 'dead_at' }, []],
    ['answer', { answer: 'such number "y' }, ['young']],
    ['answer of an earlier failure', { answer: 'the first' }, []],
    ['reason of the last attempt', { reason: 'http_404' }, ['young']],
    ['reason of an earlier attempt', { reason: 'timeout' }, []],
    ['answer and text', { answer: 'number', text: 'you' }, ['young']],
    ['beginning of the id', { idPrefix: 'yo' }, ['young']],
    ['beginning of the id, and id', { idPrefix: 'yo', ids: ['old', 'young'] }, ['young']],
    ['beginning of the id that is no id', { idPrefix: 'b' }, []],
    ['since', { sinceMs: systemClock.wallNow() - HOUR_MS }, ['young', 'new']],
    ['until', { untilMs: systemClock.wallNow() - HOUR_MS }, ['old']],
    ['since and until', { sinceMs: 0, untilMs: systemClock.wallNow() - 3 * HOUR_MS }, []],
    ['reason and text', { reason: 'malformed', text: 'Hi' }, []],
    ['reason and age', { reason: 'malformed', olderThanMs: HOUR_MS }, []],
  ])('the filter by %s means only those', async (_name, filter, meant) => {
    await buryThem(
      { raw: '{"message_id":"old","client_id":"a","domain":"ex\\u00e4mple.org"}', ageMs: 2 * HOUR_MS },
      {
        raw: '{"message_id":"young","client_id":"client b","domain":"x","say":"Hi \\"you\\" ä"}',
        answer: 'no such number "yours"',
      },
      {
        raw: '{"message_id":"new","domain":"y","client_id":"client b"}',
        reason: 'malformed',
        error: 'refused "new"',
      },
    );
    expect(await ids(filter)).toEqual(meant.toReversed());
    expect(await replay(filter, true)).toMatchObject({ meant: meant.length, done: 0 });
    expect((await places(redis.client)).dead).toHaveLength(3);
    expect(await replay(filter)).toMatchObject({ meant: meant.length, done: meant.length });
    const { waiting, dead } = await places(redis.client);
    expect(waiting.map((text) => (JSON.parse(text) as { message_id: string }).message_id)).toEqual(meant.toReversed());
    expect(dead).toHaveLength(3 - meant.length);
  });

  test('byte-identical letters stay as many as they were', async () => {
    await buryThem(...Array.from({ length: 5 }, () => ({ raw: message('twin'), ageMs: 10 })));
    expect(await ids()).toHaveLength(5);
    expect(await replay()).toMatchObject({ done: 5 });
    expect((await places(redis.client)).waiting).toHaveLength(5);
  });

  test('a letter is found by place, by key and by message id, and purge deletes only what is meant', async () => {
    await buryThem({ raw: message('a') }, { raw: message('b'), reason: 'poison' });
    await onQueue(async ({ deadLetters }) => {
      const find = (name: string) => deadLetters.find(name, { whole: false });
      const newest = await find('1');
      expect(newest).toMatchObject({ place: 1, messageId: 'b' });
      expect(await find(newest?.unique ?? '')).toMatchObject({ place: 1, messageId: 'b' });
      expect(await find('a')).toMatchObject({ place: 2, messageId: 'a' });
      expect(await find('3')).toBeUndefined();
      expect(await find('0')).toBeUndefined();
      expect(await find('feedfeedfeed')).toBeUndefined();
      expect(await deadLetters.purge({ filter: { reason: 'poison' }, dryRun: false })).toMatchObject({ done: 1 });
    });
    expect(await ids()).toEqual(['a']);
    expect(await redis.client.hlen(keys.deadLetters)).toBe(1);
  });

  test('pages hold each letter once, whatever comes meanwhile', async () => {
    await buryThem(...Array.from({ length: 25 }, (_one, at) => ({ raw: message(`m${at}`) })));
    const seen: (string | undefined)[] = [];
    await onQueue(async ({ deadLetters }) => {
      for (let after: string | undefined; ;) {
        const query = { filter: {}, limit: 7, ...(after === undefined ? {} : { after }) };
        const page = await deadLetters.list(query, ({ messageId }) => messageId);
        seen.push(...page.entries);
        expect(page.hasMore).toBe(seen.length < 25);
        if (page.cursor === undefined) return;
        after = page.cursor;
        await bury({ raw: message('meanwhile') });
      }
    });
    expect(seen).toEqual(Array.from({ length: 25 }, (_one, at) => `m${24 - at}`));
  });
});

test('what earlier versions buried keeps its place in time and the key that they showed', async () => {
  await buryInList({ raw: message('first'), ageMs: 2 * HOUR_MS }, { raw: message('third') });
  await bury({ raw: message('second'), ageMs: HOUR_MS });
  const [newest] = await redis.client.lrangeBuffer(DEAD, 0, 0);
  const key = createHash('sha1').update(newest!).digest('hex').slice(0, 12);
  expect(await ids()).toEqual(['third', 'second', 'first']);
  expect(await onQueue(({ deadLetters }) => deadLetters.find(key, { whole: false }))).toMatchObject({
    messageId: 'third',
  });
  expect(await replay({ ids: [key] })).toMatchObject({ meant: 1, done: 1 });
  expect(await redis.client.exists(DEAD)).toBe(0);
});

test('what is no envelope is moved byte for byte, listed as unreadable, not replayed, and purged', async () => {
  await redis.client.lpush(DEAD, 'no envelope', Buffer.from([0xff]), '{"message":7}');
  await buryInList({ raw: message('a') });
  expect(await replay()).toMatchObject({ meant: 4, done: 1, unreadable: 3 });
  const { dead } = await places(redis.client);
  expect(dead.toSorted()).toEqual(['no envelope', '{"message":7}', Buffer.from([0xff]).toString()].toSorted());
  expect(
    await onQueue(({ deadLetters }) => deadLetters.purge({ filter: { reason: 'unreadable' }, dryRun: false })),
  ).toMatchObject({
    done: 3,
  });
  expect((await places(redis.client)).dead).toEqual([]);
});

test('thousands, of which some die again meanwhile, are each moved once; two operators share them', async () => {
  await bury(...Array.from({ length: 1_500 }, (_, at) => ({ raw: message(`m${at}`) })));
  let again = 0;
  const busy = onQueue(({ deadLetters }) =>
    deadLetters.replay({
      filter: {},
      dryRun: false,
      onProgress: () => void ((again += 1), void bury({ raw: message(`again${again}`) })),
    }),
  );
  const [first, second] = await Promise.all([busy, replay()]);
  expect(first.done + second.done).toBeGreaterThanOrEqual(1_500);
  const { waiting, dead } = await places(redis.client);
  expect(new Set(waiting).size).toBe(waiting.length);
  expect(waiting.length + dead.length).toBe(1_500 + again);
  expect(waiting.filter((text) => /"m\d/.test(text))).toHaveLength(1_500);
});

test('letters of one time are each purged once, whichever are kept between them', async () => {
  const lines = Array.from(
    { length: 5_000 },
    (_, at) => `0123456789ab-${at} ${at % 3 === 0 ? 'poison' : 'malformed'} m${at}  `,
  );
  await redis.client.zadd(keys.deadIndex, ...lines.flatMap((line) => [1_000, line]));
  await redis.client.hset(keys.deadLetters, ...lines.flatMap((line) => [line.split(' ')[0] ?? '', 'x']));
  const run = { filter: { reason: 'poison' }, dryRun: false };
  expect(await onQueue(({ deadLetters }) => deadLetters.purge({ ...run, dryRun: true }))).toMatchObject({
    meant: 1_667,
  });
  expect(await onQueue(({ deadLetters }) => deadLetters.purge(run))).toEqual({
    seen: 5_000,
    total: 5_000,
    meant: 1_667,
    done: 1_667,
    unreadable: 0,
  });
  expect(await redis.client.hlen(keys.deadLetters)).toBe(3_333);
});

test('a queue that is no list refuses the message, which stays dead', async () => {
  await bury({ raw: message('a') });
  await redis.client.set(QUEUE, 'a string');
  await expect(replay()).rejects.toThrow(/refused to take a message back/);
  expect(await ids()).toEqual(['a']);
});

test.each(['zadd', 'hset', 'zrem', 'hdel', 'ltrim', 'lpush'])(
  'a user who may not call %s moves nothing from where it is, and once allowed everything',
  async (command) => {
    await buryInList({ raw: message('a') }, { raw: message('b') });
    await redis.client.call('ACL', 'SETUSER', 'default', `-${command}`);
    try {
      await replay().catch((error: unknown) => expect(String(error)).toMatch(/refuse|can.t run this command/));
      const { waiting, dead } = await places(redis.client);
      expect([...waiting, ...dead.map((text) => readDeadLetter(text)?.raw.toString())]).toHaveLength(2);
    } finally {
      await redis.client.call('ACL', 'SETUSER', 'default', '+@all');
    }
    await replay();
    expect((await places(redis.client)).waiting).toEqual([message('b', 0), message('a', 0)]);
    expect(await redis.client.keys('*dead*')).toEqual([]);
  },
);

test('a worker buries in the index, under the user of an earlier version in its list', async () => {
  const queue = await openQueue(redis.port);
  try {
    for (const denied of ['-hset', '-zadd', '+@all']) {
      await redis.client.call('ACL', 'SETUSER', 'default', denied);
      await redis.client.lpush(QUEUE, message(denied));
      const [claimed] = await claim(queue, 1);
      const envelope = deadLetter({
        raw: claimed!.raw,
        reason: 'poison',
        error: '',
        attemptCount: 0,
        workerId: 'w',
        deadAt: 0,
      });
      expect(await settle(queue, { kind: 'bury', claim: claimed!, envelope })).toMatchObject({ lost: [], refused: [] });
      await redis.client.call('ACL', 'SETUSER', 'default', '+@all');
    }
  } finally {
    await queue.stop();
  }
  expect(await redis.client.llen(DEAD)).toBe(2);
  expect(await redis.client.zrange(keys.deadIndex, '0', '-1')).toEqual([
    expect.stringMatching(/^[0-9a-f]{12}-[0-9a-z]+ poison %2B%40all {2}$/),
  ]);
  expect(await redis.client.hlen(keys.deadLetters)).toBe(1);
  expect((await ids()).toSorted()).toEqual(['+@all', '-hset', '-zadd']);
});

test('a letter of many MB is listed from its beginning and replayed whole', async () => {
  const raw = Buffer.concat([
    Buffer.from(message('big').slice(0, -1)),
    Buffer.from(`,"x":"${'y'.repeat(6_000_000)}"}`),
  ]);
  await bury({ raw });
  const shown = await onQueue(({ deadLetters }) => deadLetters.find('big', { whole: false }));
  expect(shown).toMatchObject({ messageId: 'big', letter: { rawBytes: raw.length, attemptCount: 7 } });
  expect(shown?.stored.length).toBeLessThan(200_000);
  expect((await onQueue(({ deadLetters }) => deadLetters.find('1', { whole: true })))?.letter?.raw.equals(raw)).toBe(
    true,
  );
  expect(await replay()).toMatchObject({ done: 1 });
  expect((await redis.client.lindexBuffer(QUEUE, 0))?.length).toBe(raw.length);
});

test('back to the list of version 1.0, in the order of death, each in an envelope that it reads', async () => {
  const large = `{"message_id":"large","x":"${'y'.repeat(1_100_000)}"}`;
  await bury({ raw: message('a') }, { raw: large }, { raw: message('c') });
  await redis.client.lpush(DEAD, 'no envelope');
  const envelopes = (await places(redis.client)).dead;
  const back = () => onQueue(({ deadLetters }) => deadLetters.returnToList({ filter: {}, dryRun: false }));
  expect(await back()).toMatchObject({ done: 4, unreadable: 0 });
  const listed = await redis.client.lrange(DEAD, 0, -1);
  expect(
    listed.map((text) => (text.startsWith('{') ? (JSON.parse(text) as { message: string }).message : text)),
  ).toEqual(['no envelope', message('c'), large, message('a')]);
  expect(listed[1]).toBe(envelopes[0]);
  expect(await redis.client.exists(keys.deadIndex, keys.deadLetters)).toBe(0);
  await onQueue(({ deadLetters }) => deadLetters.returnToList({ filter: {}, dryRun: true }));
  expect(await redis.client.llen(DEAD)).toBe(4);
  // each look moves for 50 ms what lies in the list
  await waitFor(async () => (await ids()).length === 4, { what: 'all to be moved' });
  expect(await ids()).toEqual([undefined, 'c', 'large', 'a']);
});

test('without Redis it says so', async () => {
  await expect(onQueue(({ sizes }) => sizes(), 1)).rejects.toThrow(/Cannot connect to Redis at 127.0.0.1:1/);
});
