import { expect, test } from 'vitest';
import { RedisUnavailableError } from '../../../../src/shared/errors.js';
import { DeadLetterInbox } from '../../../../supervisor/queue/dead-letter-inbox.js';
import { VirtualClock } from '../../../support/virtual-clock.js';
import { recordedLog } from '../recorded-log.js';

/** A list of letters of which each step moves a hundred, in 10 ms. */
function opened(letters: number, unreadable = 0) {
  const clock = new VirtualClock();
  const log = recordedLog();
  const inbox = new DeadLetterInbox({ log, clock });
  const list = { left: letters, steps: 0, isUp: true };
  const queue = {
    async moveOldDeadLetters() {
      list.steps += 1;
      await clock.sleep(10);
      if (!list.isUp) throw new RedisUnavailableError('it is away', false);
      const moved = Math.min(100, list.left);
      list.left -= moved;
      return { moved, unreadable: list.steps === 1 ? unreadable : 0, left: list.left };
    },
  };
  return { clock, log, inbox, list, empty: () => inbox.empty({ queue } as never) };
}

test('the list is emptied once, with as much rest as work, and said at the end', async () => {
  const { clock, log, list, empty } = opened(250, 2);
  empty();
  empty();
  await clock.advance(30);
  expect(list).toMatchObject({ left: 50, steps: 2 });
  await clock.advance(20);
  expect(list).toMatchObject({ left: 0, steps: 3 });
  expect(log.lines).toEqual([
    'INFO: Moved 250 dead letters of an earlier version to the index',
    'WARNING: 2 of them are no dead letters that a worker wrote; they are kept as they are',
  ]);
});

test('a failure is said once, and the rest is moved at the next call', async () => {
  const { clock, log, list, empty } = opened(50);
  list.isUp = false;
  for (let look = 0; look < 3; look += 1) {
    empty();
    await clock.advance(20);
  }
  expect(log.lines).toEqual(['WARNING: Dead letters of an earlier version stay in its list for now: it is away']);
  list.isUp = true;
  empty();
  await clock.advance(20);
  expect(list.left).toBe(0);
});

test('a list that nobody may empty is not asked again and again', async () => {
  const { clock, list, empty } = opened(0);
  list.left = 0;
  empty();
  await clock.advance(1_000);
  expect(list.steps).toBe(1);
});

test('stop ends it between two steps', async () => {
  const { clock, inbox, list, empty } = opened(1_000);
  empty();
  await clock.advance(15);
  const stopped = inbox.stop();
  await clock.settle();
  await stopped;
  empty();
  await clock.advance(1_000);
  expect(list.steps).toBe(1);
});
