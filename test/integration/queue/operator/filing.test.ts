import { expect, test } from 'vitest';

import { deadLetter, readDeadLetter } from '../../../../src/domain/dead-letters/dead-letter.js';
import { indexLine } from '../../../../src/domain/dead-letters/index-line.js';
import {
  letterLine,
  readLetterLine,
  type FiledLetter,
  type ReadLetter,
} from '../../../../src/domain/dead-letters/letter-line.js';
import type { MessageFilter } from '../../../../src/domain/filter/message-filter.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import { UnusableRedisError } from '../../../../src/shared/errors.js';
import { expectNoLeftovers } from '../../../support/program/leftovers.js';
import { QUEUE } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useOperator } from '../queues.js';

expectNoLeftovers();
const redis = useRedis();
const keys = redisKeys(QUEUE);
const onQueue = useOperator(redis);

let buried = 0;

async function bury(raw: string | Buffer, reason: 'malformed' | 'poison' = 'malformed'): Promise<void> {
  const letter = {
    raw: Buffer.from(raw),
    reason,
    error: 'e',
    attemptCount: 7,
    workerId: 'w',
    deadAt: 1_000_000 + buried,
  };
  await put(`0123456789ab-${(buried += 1)}`, deadLetter(letter));
}

async function put(unique: string, stored: Buffer): Promise<void> {
  const score = 1_000_000 + buried + 0.125;
  await redis.client.hset(keys.deadLetters, unique, stored);
  await redis.client.zadd(keys.deadIndex, score, indexLine(unique, readDeadLetter(stored)));
}

async function exported(filter: MessageFilter = {}): Promise<FiledLetter[]> {
  return onQueue(async ({ deadLetters }) => {
    const letters: FiledLetter[] = [];
    for await (const letter of deadLetters.exported({ filter })) letters.push(letter);
    return letters;
  });
}

const overAFile = (letters: readonly FiledLetter[]): ReadLetter[] =>
  letters.map((letter) => readLetterLine(Buffer.concat([...letterLine(letter)]).subarray(0, -1)) as ReadLetter);

const imported = (letters: readonly ReadLetter[]) => onQueue(({ deadLetters }) => deadLetters.import(letters));

const everything = async () => [
  await redis.client.zrange(keys.deadIndex, '0', '-1', 'WITHSCORES'),
  await redis.client.hgetallBuffer(keys.deadLetters),
];

test('what was exported, deleted and imported is as it was, byte for byte, and again changes nothing', async () => {
  await bury('{"message_id":"a","client_id":"c"}');
  await bury(Buffer.from([0xff, 0x00]));
  await bury(Buffer.alloc(5_000_000, 'x'), 'poison');
  await put('foreign', Buffer.from('no envelope'));
  const before = await everything();
  const letters = await exported();
  expect(letters.map(({ unique }) => unique.slice(-2))).toEqual(['-1', '-2', '-3', 'gn']);
  await onQueue(({ deadLetters }) => deadLetters.purge({ filter: {}, dryRun: false }));
  expect(await redis.client.exists(keys.deadIndex, keys.deadLetters)).toBe(0);
  expect(await imported(overAFile(letters))).toBe(4);
  expect(await everything()).toEqual(before);
  expect(await imported(overAFile(letters))).toBe(0);
  expect(await everything()).toEqual(before);
});

test('a letter that is there keeps what it says', async () => {
  await bury('{"message_id":"a"}');
  const [letter] = overAFile(await exported());
  const before = await everything();
  expect(await imported([{ ...letter!, stored: Buffer.from('other') }])).toBe(0);
  expect(await everything()).toEqual(before);
});

test('the filter of the lists holds, over more than one step, and old letters are moved before', async () => {
  for (let at = 0; at < 1_100; at++) await bury(`{"message_id":"m${at}","text":"${at % 2 ? 'odd' : 'even'}"}`);
  await bury('{"message_id":"p"}', 'poison');
  const old = { raw: Buffer.from('old odd'), reason: 'malformed' as const, error: '', attemptCount: 0, workerId: '' };
  await redis.client.lpush(keys.dead, deadLetter({ ...old, deadAt: 0 }));
  expect(await exported()).toHaveLength(1_102);
  const odd = await exported({ reason: 'malformed', text: 'odd' });
  expect(odd).toHaveLength(551);
  expect(readDeadLetter(odd[0]!.stored)?.raw.toString()).toBe('old odd');
  expect(await exported({ ids: ['m3', 'p'] })).toHaveLength(2);
});

test('of a line whose letter has gone nothing is exported', async () => {
  await bury('{"message_id":"a"}');
  await redis.client.zadd(keys.deadIndex, 1, '0123456789ab-zz malformed b  ');
  expect(await exported()).toHaveLength(1);
});

test('a full Redis, and a line that is refused, leave no letter that nobody finds', async () => {
  await bury('{"message_id":"a"}');
  const letters = overAFile(await exported());
  await onQueue(({ deadLetters }) => deadLetters.purge({ filter: {}, dryRun: false }));
  const { used_memory: used } = Object.fromEntries(
    (await redis.client.info('memory')).split('\r\n').map((line) => line.split(':')),
  ) as Record<string, string>;
  await redis.client.config('SET', 'maxmemory', String(Number(used) - 100_000));
  await expect(imported(letters)).rejects.toThrow(UnusableRedisError);
  await redis.client.config('SET', 'maxmemory', '0');
  expect(await redis.client.exists(keys.deadIndex, keys.deadLetters)).toBe(0);
  await redis.client.lpush(keys.deadIndex, 'no sorted set');
  await expect(imported(letters)).rejects.toThrow(/WRONGTYPE/);
  expect(await redis.client.exists(keys.deadLetters)).toBe(0);
});
