import { expect, test } from 'vitest';
import { createEvictionWatch } from '../../../../src/duties/eviction-watch.js';
import { RedisUnavailableError } from '../../../../src/shared/errors.js';
import { recordedLog } from '../../../support/recorded-log.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

test('a policy that somebody changes is seen within 15 s, an outage between or not', async () => {
  const clock = new VirtualClock();
  const seen: (string | undefined)[] = [];
  let policy: string | Error | undefined = 'noeviction';
  let isReady = true;
  const queue = {
    isReady: () => isReady,
    evictionPolicy: async () => {
      if (policy instanceof Error) throw policy;
      return policy;
    },
  };
  const watch = createEvictionWatch({ queue, onPolicy: (found) => seen.push(found), clock, log: recordedLog() });
  await watch.start();
  await clock.advance(0);
  expect(seen).toEqual(['noeviction']);
  policy = 'allkeys-lru';
  await clock.advance(15_000);
  expect(seen.at(-1)).toBe('allkeys-lru');
  policy = new RedisUnavailableError('lost', true);
  await clock.advance(20_000);
  isReady = false;
  await clock.advance(60_000);
  const before = seen.length;
  policy = undefined;
  isReady = true;
  await clock.advance(1_000);
  expect(seen.slice(before)).toEqual([undefined]);
  await watch.stop();
});
