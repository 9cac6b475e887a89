import { expect, test } from 'vitest';

import { RedisUnavailableError } from '../../../../src/shared/errors.js';
import { FoundLists } from '../../../../supervisor/queue/found-lists.js';
import type { Borrowed } from '../../../../supervisor/queue/queue-access.js';
import { testConfig } from '../../../support/program/config.js';
import { VirtualClock } from '../../../support/virtual-clock.js';
import { recordedLog } from '../recorded-log.js';

function searched() {
  const clock = new VirtualClock();
  const log = recordedLog();
  const redis = { isUp: true, looks: 0, problem: undefined as RedisUnavailableError | undefined };
  const queue = {
    takeSearch: async () => true,
    leaveSearch: async () => undefined,
    registerFound: async () => {
      redis.looks += 1;
      if (redis.problem) throw redis.problem;
      return { cursor: '0', consumers: [] };
    },
  };
  const borrow = () =>
    ({
      queue,
      isReady: () => redis.isUp,
      whenReady: async () => undefined,
      release: async () => undefined,
    }) as unknown as Borrowed;
  const search = new FoundLists({ access: { borrow }, settings: testConfig(), id: 'a', log, clock });
  return { clock, log, redis, search };
}

test('a look that Redis left midway is not taken for one that found nothing: it is said after 10 s, and made again', async () => {
  const { clock, redis, search } = searched();
  redis.problem = new RedisUnavailableError('the connection was lost', true);
  search.start();
  await clock.advance(9_000);
  expect([redis.looks, search.trouble]).toEqual([1, undefined]);
  await clock.advance(1_100);
  expect(redis.looks).toBe(2);
  expect(search.trouble).toMatchObject({
    duty: 'search for messages whose worker nobody knows',
    text: expect.stringContaining('the connection was lost') as string,
    stops: false,
  });
  redis.problem = undefined;
  await clock.advance(10_100);
  expect([redis.looks, search.trouble]).toEqual([3, undefined]);
  await search.stop();
});

test('while Redis is away others say so; a user who may not is told so once, and not that it fails', async () => {
  const { clock, log, redis, search } = searched();
  redis.isUp = false;
  search.start();
  await clock.advance(60_000);
  expect([redis.looks, search.trouble]).toEqual([0, undefined]);
  redis.isUp = true;
  redis.problem = new RedisUnavailableError('NOPERM', false);
  await clock.advance(60_000);
  expect([redis.looks, search.trouble]).toEqual([1, undefined]);
  expect(log.lines).toEqual(['INFO: Not looking for messages whose worker nobody knows: NOPERM']);
  await search.stop();
});
