/** One message by its id, and pages of messages, over all places. */
import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { deadLetter, readDeadLetter } from '../../../../src/domain/dead-letters/dead-letter.js';
import { indexLine } from '../../../../src/domain/dead-letters/index-line.js';
import type { MessageFilter } from '../../../../src/domain/filter/message-filter.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import { findMessage } from '../../../../src/queue/messages/finding.js';
import type { AnyMessage, MessageProgress, MessageQuery } from '../../../../src/queue/messages/listing.js';
import type { MessageWalks } from '../../../../src/queue/messages/walk.js';
import { expectNoLeftovers } from '../../../support/program/leftovers.js';
import { claim, message, QUEUE } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useOperator, useQueues } from '../queues.js';

expectNoLeftovers();
const redis = useRedis();
const onQueue = useOperator(redis);
const open = useQueues(redis);
const keys = redisKeys(QUEUE);

let uniques = 0;

async function bury(raw: string): Promise<void> {
  const letter = {
    raw: Buffer.from(raw),
    reason: 'poison',
    error: '',
    attemptCount: 9,
    workerId: 'w',
    deadAt: 0,
  } as const;
  const stored = deadLetter(letter);
  const unique = `0123456789ab-${(uniques += 1)}`;
  await redis.client.hset(keys.deadLetters, unique, stored);
  await redis.client.zadd(keys.deadIndex, Date.now() + uniques, indexLine(unique, readDeadLetter(stored)));
}

async function retry(raw: string, dueInMs = 30_000): Promise<void> {
  await redis.client.zadd(keys.retry, Date.now() + dueInMs, `0123456789ab${(uniques += 1)} id 30000:${raw}`);
}

const wordOf = (found: AnyMessage) =>
  `${found.place} ${(found.place === 'dead' ? found.entry.messageId : found.messageId) ?? '-'}`;

describe('one message', () => {
  const find = (id: string) => onQueue(async ({ messages }) => (await messages.find(id)).map(wordOf));

  test('is found wherever it is, each copy of it', async () => {
    await redis.client.lpush(QUEUE, message('a'), message('b'));
    await claim(await open(), 1);
    await redis.client.lpush(QUEUE, message('a'), message('c'));
    await retry(message('a', 2));
    await bury(message('a', 9));
    await bury(message('a', 9));
    expect(await find('a')).toEqual(['waiting a', 'in_flight a', 'retry a', 'dead a', 'dead a']);
    expect(await find('b')).toEqual(['waiting b']);
    expect(await find('nobody')).toEqual([]);
  });

  /** `meanwhile` happens once, when the first look at what waits is over. */
  const findWhile = (id: string, meanwhile: () => Promise<unknown>) =>
    onQueue(async ({ messages, deadLetters }) => {
      let happened = false;
      const walks: MessageWalks = {
        async *walk(place, request) {
          yield* messages.walk(place, request);
          if (place === 'waiting' && !happened) await meanwhile();
          happened = true;
        },
      };
      return (await findMessage({ walks, deadLetters }, id)).map(wordOf);
    });

  test('that moves on while it is looked for is met once', async () => {
    const queue = await open();
    await redis.client.lpush(QUEUE, message('a'));
    expect(await findWhile('a', () => claim(queue, 1))).toEqual(['in_flight a']);
  });

  test('that goes back to the queue while it is looked for is found', async () => {
    await retry(message('a'));
    await redis.client.lpush(QUEUE, ...Array.from({ length: 100 }, (_, at) => message(`m${at}`)));
    const promoted = () => redis.client.multi().del(keys.retry).lpush(QUEUE, message('a')).exec();
    expect(await findWhile('a', promoted)).toEqual(['waiting a']);
  });

  test('nobody waits for any more is looked for no longer', async () => {
    await redis.client.lpush(QUEUE, ...Array.from({ length: 3_000 }, (_, at) => message(`m${at}`)));
    const looked: number[] = [];
    const onProgress = ({ place, looked: so }: MessageProgress): void => {
      if (place === 'waiting') looked.push(so);
    };
    const options = { isAbandoned: () => true, onProgress };
    expect(await onQueue(({ messages }) => messages.find('m1', options))).toEqual([]);
    expect(looked).toEqual([1_000]);
  });
});

describe('a list', () => {
  const list = (query: Partial<MessageQuery> = {}) =>
    onQueue(({ messages }) => messages.list({ filter: {}, limit: 50, ...query }, wordOf));

  async function fill(): Promise<void> {
    await redis.client.lpush(QUEUE, message('claimed'));
    await claim(await open(), 1);
    await redis.client.lpush(QUEUE, message('old'), message('new'));
    await retry(message('later'), 20_000);
    await retry(message('sooner'), 10_000);
    await bury(message('died'));
    await bury(message('died last'));
  }
  const ALL = [
    'in_flight claimed',
    'retry sooner',
    'retry later',
    'waiting new',
    'waiting old',
    'dead died last',
    'dead died',
  ];

  test('goes through all places, or those that were asked for, as many as were asked for', async () => {
    await fill();
    expect(await list()).toEqual({ entries: ALL, looked: 7, next: undefined });
    expect((await list({ filter: { places: ['dead', 'retry'] } })).entries).toEqual([ALL[1], ALL[2], ALL[5], ALL[6]]);
    expect((await list({ limit: 2 })).entries).toEqual(ALL.slice(0, 2));
  });

  test.each([1, 2, 3, 7])('has each once on pages of %i', async (limit) => {
    await fill();
    const entries: string[] = [];
    let after: string | undefined;
    do {
      const page = await list({ limit, ...(after === undefined ? {} : { after }) });
      entries.push(...page.entries);
      after = page.next;
    } while (after !== undefined);
    expect(entries).toEqual(ALL);
  });

  test.each<[MessageFilter, string[]]>([
    [{ ids: ['old', 'died', 'later'] }, ['retry later', 'waiting old', 'dead died']],
    [{ idPrefix: 'died' }, ['dead died last', 'dead died']],
    [{ reason: 'poison' }, ['dead died last', 'dead died']],
    [{ dueWithinMs: 15_000 }, ['retry sooner']],
    [{ dueWithinMs: 15_000, places: ['waiting', 'dead'] }, []],
  ])('has of a filter what it means: %j', async (filter, meant) => {
    await fill();
    expect((await list({ filter })).entries).toEqual(meant);
  });

  test('that has no time left says how far it has looked and goes on from there', async () => {
    await redis.client.lpush(QUEUE, ...Array.from({ length: 2_500 }, (_, at) => message(`m${at}`)));
    const filter: MessageFilter = { ids: ['m0'], places: ['waiting'] };
    const first = await list({ filter, budgetMs: 0 });
    expect(first).toMatchObject({ entries: [], looked: 1_000 });
    const second = await list({ filter, ...(first.next === undefined ? {} : { after: first.next }) });
    expect(second).toEqual({ entries: ['waiting m0'], looked: 1_500, next: undefined });
  });

  test('with a cursor that is none of ours begins at the first', async () => {
    await fill();
    expect((await list({ after: 'nonsense', limit: 1 })).entries).toEqual([ALL[0]]);
  });
});
