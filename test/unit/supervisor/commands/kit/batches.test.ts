import { expect, test } from 'vitest';

import { Batches } from '../../../../../supervisor/commands/kit/batches.js';
import { BadLineError } from '../../../../../supervisor/commands/kit/checked-lines.js';
import { RedisUnavailableError } from '../../../../../src/shared/errors.js';

const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `m${at}`);
const words = { one: 'message', many: 'messages', done: 'sent' };

/** Takes `batches` and refuses the next. */
function queue(batches: number, refusal: Error) {
  const taken: number[] = [];
  const take = async (batch: readonly string[]): Promise<void> => {
    if (taken.length === batches) throw refusal;
    taken.push(batch.length);
  };
  return { taken, take, words, bytesOf: (text: string) => text.length };
}

test.each([
  [0, false, 'Redis is away.'],
  [0, true, 'Redis is away. 0 messages had been sent before; of the next 500 it is unknown.'],
  [2, false, 'Redis is away. 1000 messages had been sent before.'],
  [2, true, 'Redis is away. 1000 messages had been sent before; of the next 200 it is unknown.'],
])('a refusal after %d batches, outcome unknown: %s', async (batches, outcomeUnknown, sentence) => {
  const redis = queue(batches, new RedisUnavailableError('Redis is away.', outcomeUnknown));
  await expect(new Batches(redis).takeAll(many(1_200))).rejects.toThrow(sentence);
  expect(redis.taken).toEqual([500, 500].slice(0, batches));
});

test('what came before a bad line is sent before it is said', async () => {
  const redis = queue(9, new Error('never'));
  const lines = function* () {
    yield* many(501);
    throw new BadLineError(1, 'Line 502 is bad.');
  };
  await expect(new Batches(redis).takeAll(lines())).rejects.toThrow(
    'Line 502 is bad. The 501 messages before it were sent, and nothing behind it.',
  );
  expect(redis.taken).toEqual([500, 1]);
});
