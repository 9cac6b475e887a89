import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deadLetter } from '../../../../src/domain/dead-letters/dead-letter.js';
import { isCancelMarker } from '../../../../src/domain/cancelled.js';
import { letterLine, readLetterLine, type ReadLetter } from '../../../../src/domain/dead-letters/letter-line.js';
import { NOTHING_COUNTED, sumOf, type HistoryCounts, type HistoryUnit } from '../../../../src/domain/history/book.js';
import type { RedisQueue } from '../../../../src/queue/claims/claims-and-settlements.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import type { HistoryLook } from '../../../../src/queue/background-queue.js';
import type { Claim, Settlement } from '../../../../src/queue/message-queue.js';
import { expectNoLeftovers } from '../../../support/program/leftovers.js';
import { claim, message, QUEUE, settle } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useOperator, useQueues } from '../queues.js';

expectNoLeftovers();
const redis = useRedis();
const queueOf = useQueues(redis);
const onQueue = useOperator(redis);
const keys = redisKeys(QUEUE);

const counted = (counts: Partial<HistoryCounts>): HistoryCounts => ({ ...NOTHING_COUNTED, ...counts });
let names = 0;

/** One process that writes the history. */
function writerOn({ background }: RedisQueue) {
  names += 1;
  const writer = `writer-${names}`;
  return (
    counts: Partial<HistoryCounts> = {},
    written: Partial<HistoryCounts> = {},
    { oldestWaitSeconds = 0, redisNow = Date.now(), stoodMs = 0 } = {},
  ): Promise<HistoryLook> =>
    background.noteHistory({
      writer,
      counts: counted(counts),
      written: counted(written),
      stoodMs,
      oldestWaitSeconds,
      redisNow,
    });
}

const read = (by: HistoryUnit = 'day', days = 2) => onQueue(({ history }) => history.read({ days, by }));
const sum = async (by?: HistoryUnit) => sumOf((await read(by)).entries);
const push = (...ids: readonly string[]) => redis.client.lpush(QUEUE, ...ids.map((id) => message(id)));

const retryOf = (held: Claim): Settlement => ({
  kind: 'retry',
  claim: held,
  message: held.raw,
  messageId: 'm',
  delayMs: 60_000,
});
const burialOf = (held: Claim): Settlement => {
  const about = { error: '', attemptCount: 3, workerId: 'w', deadAt: 0 } as const;
  return { kind: 'bury', claim: held, envelope: deadLetter({ raw: held.raw, reason: 'malformed', ...about }) };
};

describe('what workers have counted', () => {
  test('is added to the minute, the hour and the day, and what was said before is not added again', async () => {
    const note = writerOn(await queueOf());
    await note({ delivered: 5, failed: 2, retried: 1, buried: 1, acknowledged: 5 }, {}, { oldestWaitSeconds: 3.26 });
    // its reply was lost
    await note({ delivered: 5, failed: 2, retried: 1, buried: 1, acknowledged: 5 }, {}, { oldestWaitSeconds: 1 });
    await note({ delivered: 9, failed: 2, retried: 1, buried: 1, acknowledged: 9 });
    const expected = { delivered: 9, failed: 2, retried: 1, buried: 1, oldestWaitSeconds: 3.3 };
    for (const by of ['minute', 'hour', 'day'] as const) expect(await sum(by)).toMatchObject(expected);
  });

  test('of several processes comes together', async () => {
    const [one, other] = [writerOn(await queueOf()), writerOn(await queueOf('worker-2'))];
    await Promise.all([one({ delivered: 3 }), other({ delivered: 4 })]);
    await one({ delivered: 4 });
    expect(await sum()).toMatchObject({ delivered: 8 });
  });

  test('is not added again after Redis has forgotten who said it', async () => {
    const note = writerOn(await queueOf());
    await note({ delivered: 1_000 });
    await redis.client.flushall();
    await note({ delivered: 1_003 }, { delivered: 1_000 });
    expect(await sum()).toMatchObject({ delivered: 3 });
  });

  test('stands in the day that Redis has, whichever the writer thinks it is', async () => {
    const note = writerOn(await queueOf());
    await note({ delivered: 1 }, {}, { redisNow: Date.now() - 40 * 86_400_000 });
    await note({ delivered: 2 }, {}, { redisNow: Date.now() + 40 * 86_400_000 });
    const { now, entries } = await read('minute', 1);
    expect(entries.filter(({ delivered }) => delivered > 0).every(({ at }) => now - at < 180_000)).toBe(true);
    expect(sumOf(entries)).toMatchObject({ delivered: 2 });
  });

  test('is kept for 8 days by minute and for 400 by hour, and a quiet queue writes no line', async () => {
    const note = writerOn(await queueOf());
    await note();
    expect(await redis.client.keys('*:history:2*')).toEqual([]);
    await note({ delivered: 1 });
    const [day, month] = (await redis.client.keys('*:history:2*')).sort((a, b) => b.length - a.length);
    const days = async (key = ''): Promise<number> => Math.round((await redis.client.ttl(key)) / 86_400);
    expect([await days(day), await days(month)]).toEqual([9, 431]);
    expect(await days(keys.history)).toBe(431);
  });

  test('leaves nothing of writers that have been gone for an hour', async () => {
    await redis.client.hset(keys.historyWriters, 'old', `${Date.now() - 3_700_000} 1 1 1 1 1`, 'odd', 'x');
    await redis.client.hset(keys.historyWriters, 'young', `${Date.now() - 3_000_000} 1 1 1 1 1`);
    await writerOn(await queueOf())({ delivered: 1 });
    expect(Object.keys(await redis.client.hgetall(keys.historyWriters))).toEqual(['young', `writer-${names}`]);
  });

  test('is refused as a whole by a full Redis, and none of it is lost then', async () => {
    const note = writerOn(await queueOf());
    await note({ delivered: 1 });
    await redis.client.config('SET', 'maxmemory', '1');
    try {
      await expect(note({ delivered: 7 }, { delivered: 1 })).rejects.toThrow(/OOM/);
    } finally {
      await redis.client.config('SET', 'maxmemory', '0');
    }
    await note({ delivered: 8 }, { delivered: 1 });
    expect(await sum()).toMatchObject({ delivered: 8 });
  });

  test('is not kept where REDIS_SIDE_BOOKS_MAX leaves no room', async () => {
    const note = writerOn(await queueOf('worker-1', { sideBooksMaxBytes: 0 }));
    await expect(note({ delivered: 1 })).rejects.toThrow(/REDIS_SIDE_BOOKS_MAX/);
    expect(await redis.client.keys('*:history*')).toEqual([]);
  });

  test('is refused with the name of a key that another program uses', async () => {
    await redis.client.set(keys.history, 'of another type');
    const note = writerOn(await queueOf());
    await expect(note({ delivered: 1 })).rejects.toThrow(/message_queue}:history in Redis is no hash/);
    await redis.client.set(keys.historyOf(new Date().toISOString().slice(0, 7)), 'too');
    await expect(read()).rejects.toThrow(/is no hash/);
  });
});

describe('what arrives', () => {
  test('is counted from the first look on, whatever lies there by then', async () => {
    const note = writerOn(await queueOf());
    await push('a', 'b');
    expect(await note()).toMatchObject({ arrived: 0, waiting: 2 });
    await push('c');
    const look = await note();
    expect(look).toMatchObject({ arrived: 1, waiting: 3 });
    expect(String(look.oldest)).toBe(message('a'));
    expect(await sum()).toMatchObject({ arrived: 1, mostWaiting: 3 });
  });

  test('is none of what moves from one place to another', async () => {
    const queue = await queueOf();
    const note = writerOn(queue);
    await note();
    await push('a', 'b', 'c', 'd', 'e');
    expect(await note()).toMatchObject({ arrived: 5 });
    const [retried, buried, handedBack, acknowledged, held] = await claim(queue, 5);
    expect(await note()).toMatchObject({ arrived: 5 });
    const others: readonly Settlement[] = [retryOf(retried!), burialOf(buried!)];
    await settle(queue, { kind: 'ack', claim: acknowledged! }, ...others, { kind: 'hand-back', claim: handedBack! });
    expect(await note({ acknowledged: 1 })).toMatchObject({ arrived: 5 });
    await onQueue(({ deadLetters }) => deadLetters.replay({ filter: {}, dryRun: false }));
    await redis.client.zadd(keys.retry, 1, (await redis.client.zrange(keys.retry, '0', '0'))[0]!);
    await queue.background.promoteDue(10);
    await queue.background.recover(held!.consumer, { evenIfLeased: true });
    expect(await note({ acknowledged: 1 })).toMatchObject({ arrived: 5, waiting: 4 });
  });

  test('is none of what an operator takes out', async () => {
    const queue = await queueOf();
    const note = writerOn(queue);
    await push('a', 'b');
    await settle(queue, ...(await claim(queue, 2)).map(burialOf));
    await note();
    await onQueue(({ deadLetters }) => deadLetters.purge({ filter: {}, dryRun: false }));
    await push('c');
    expect(await note()).toMatchObject({ arrived: 1 });
  });

  test('is none of what an operator cancels or erases, for as long as the markers stand and after that', async () => {
    const queue = await queueOf();
    const note = writerOn(queue);
    await note();
    await push('a', 'b', 'c', 'd');
    await settle(queue, ...(await claim(queue, 2)).map(retryOf));
    expect(await note()).toMatchObject({ arrived: 4 });
    await onQueue(async ({ actions }) => {
      const cancelled = await actions.cancel({ filter: { ids: ['a', 'c'] }, dryRun: false });
      expect(cancelled.done).toBe(2);
      expect(await note()).toMatchObject({ arrived: 4 });
      expect(await actions.erase('b')).toMatchObject({ living: 1 });
      expect(await actions.erase('d')).toMatchObject({ living: 1 });
    });
    await push('e');
    expect(await note()).toMatchObject({ arrived: 5, waiting: 3 });
    const markers = (await claim(queue, 3)).filter(({ raw }) => isCancelMarker(raw));
    await settle(queue, ...markers.map((held): Settlement => ({ kind: 'ack', claim: held })));
    await push('f');
    expect(await note({ acknowledged: markers.length })).toMatchObject({ arrived: 6 });
    expect(markers).toHaveLength(2);
  });

  test('is none of the dead letters that come back from a file, those that were there among them', async () => {
    const queue = await queueOf();
    const note = writerOn(queue);
    await push('a', 'b');
    await settle(queue, ...(await claim(queue, 2)).map(burialOf));
    await note();
    await onQueue(async ({ deadLetters }) => {
      const letters: ReadLetter[] = [];
      for await (const letter of deadLetters.exported({ filter: {} })) {
        letters.push(readLetterLine(Buffer.concat([...letterLine(letter)])) as ReadLetter);
      }
      await deadLetters.purge({ filter: { ids: [letters[0]!.unique] }, dryRun: false });
      expect(await deadLetters.import(letters)).toBe(1);
    });
    await push('c');
    expect(await note()).toMatchObject({ arrived: 1 });
  });

  test('is not reckoned again when a count comes later than its message went', async () => {
    const queue = await queueOf();
    const note = writerOn(queue);
    await push('a', 'b', 'c');
    await note();
    const claims = await claim(queue, 3);
    await settle(queue, ...claims.map((held): Settlement => ({ kind: 'ack', claim: held })));
    expect(await note({ acknowledged: 1 })).toMatchObject({ arrived: 0 });
    expect(await note({ acknowledged: 3 })).toMatchObject({ arrived: 0 });
    await push('d');
    expect(await note({ acknowledged: 3 })).toMatchObject({ arrived: 1 });
  });

  test('is not owed for ever where somebody takes messages who counts nothing here', async () => {
    const note = writerOn(await queueOf());
    await push('a', 'b', 'c');
    await note();
    await redis.client.del(QUEUE);
    expect(await note()).toMatchObject({ arrived: 0, waiting: 0 });
    const nextMinute = () => redis.client.hset(keys.history, 'minute', '1');
    // in the minute after, it may still be a count that is late
    await nextMinute();
    await push('d');
    expect(await note()).toMatchObject({ arrived: 0 });
    await nextMinute();
    await note();
    await push('e');
    expect(await note()).toMatchObject({ arrived: 1 });
  });

  test('is as much as was pushed, whenever who looks and whose counts are late', async () => {
    const queue = await queueOf();
    const step = fc.constantFrom('push', 'claim', 'ack', 'retry', 'bury', 'hand back', 'promote', 'tell', 'look');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        await redis.client.flushall();
        const [note, other] = [writerOn(queue), writerOn(queue)];
        await note();
        let held: Claim[] = [];
        const all = { pushed: 0, acknowledged: 0, told: 0 };
        const settleFirst = async (as: (claim: Claim) => Settlement): Promise<number> => {
          const first = held.shift();
          if (first) await settle(queue, as(first));
          return first ? 1 : 0;
        };
        const acts: Record<typeof step extends fc.Arbitrary<infer T> ? T : never, () => Promise<unknown>> = {
          push: () => push(`m${(all.pushed += 1)}`),
          claim: async () => (held = [...held, ...(await claim(queue, 2))]),
          ack: async () => (all.acknowledged += await settleFirst((its) => ({ kind: 'ack', claim: its }))),
          retry: () => settleFirst((its) => ({ ...retryOf(its), delayMs: 0 }) as Settlement),
          bury: () => settleFirst(burialOf),
          'hand back': () => settleFirst((its) => ({ kind: 'hand-back', claim: its })),
          promote: () => queue.background.promoteDue(10),
          tell: async () => note({ acknowledged: (all.told = all.acknowledged) }),
          look: async () => expect((await other()).arrived).toBeLessThanOrEqual(all.pushed),
        };
        for (const one of steps) await acts[one]();
        expect(await note({ acknowledged: all.acknowledged })).toMatchObject({ arrived: all.pushed });
      }),
      { numRuns: 40 },
    );
  });
});

describe('what was not seen, and when nothing could be delivered', () => {
  const spans = async () => {
    const { begun, gaps, outages, now } = await read('hour', 1);
    return { begun, gaps, outages, now };
  };
  const lastLookWas = (ago: number) => redis.client.hset(keys.history, 'at', Date.now() - ago);

  test('the first look begins the book, and looks that follow each other leave no gap', async () => {
    const before = await spans();
    expect(before).toMatchObject({ begun: undefined, gaps: [], outages: [] });
    const note = writerOn(await queueOf());
    const { at } = await note();
    await note();
    await lastLookWas(14_000);
    await note();
    expect(await spans()).toMatchObject({ begun: at, gaps: [], outages: [] });
  });

  test('a time without any look is a gap, told by the first look after it', async () => {
    const note = writerOn(await queueOf());
    await note();
    await lastLookWas(900_000);
    const { at } = await note();
    await note();
    const { gaps } = await spans();
    expect(gaps).toHaveLength(1);
    expect(gaps[0]?.until).toBe(at);
    expect(at - (gaps[0]?.from ?? 0)).toBeGreaterThanOrEqual(900_000);
  });

  test('an outage lasts from its beginning to the last look that saw it; a worker that is replaced is none', async () => {
    const note = writerOn(await queueOf());
    await note({}, {}, { stoodMs: 4_900 });
    expect((await spans()).outages).toEqual([]);
    const first = await note({}, {}, { stoodMs: 7_000 });
    const { at } = await note({}, {}, { stoodMs: 9_000 });
    await note();
    expect((await spans()).outages).toEqual([{ from: Math.min(first.at - 7_000, at - 9_000), until: at }]);
  });

  test('of those far apart each stands, the last 200 are kept, and what is none of ours is left out', async () => {
    const old = Array.from({ length: 200 }, (_, place) => Date.now() - 80_000_000 + place * 200_000);
    await redis.client.hset(keys.history, 'gaps', old.flatMap((from) => [from, from + 20_000]).join(' '));
    const note = writerOn(await queueOf());
    await note();
    await lastLookWas(20_000);
    await note();
    const { gaps } = await spans();
    expect(gaps).toHaveLength(200);
    expect(gaps[0]?.from).toBe(old[1]);
    await redis.client.hset(keys.history, 'gaps', 'x 5 9 3', 'outages', '');
    expect(await spans()).toMatchObject({ gaps: [], outages: [] });
  });
});
