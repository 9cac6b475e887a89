import { expect, test } from 'vitest';
import { LeasesRunningError, watchLeases } from '../../../../src/queue/leases/leases-run.js';
import type { RegisteredConsumer } from '../../../../src/queue/background-queue.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

/** What stands in the register at a time of our own clock. */
function watched(registerAt: (now: number) => readonly RegisteredConsumer[]) {
  const clock = new VirtualClock();
  const left: number[] = [];
  let endedAt: number | undefined;
  const read = async () => registerAt(clock.now());
  const end = watchLeases({ read, clock, onWatch: (ms) => void left.push(ms) }).finally(() => (endedAt = clock.now()));
  const settled = end.catch((error: unknown) => error);
  return { clock, left, settled, endedAt: () => endedAt };
}

/** Its clock steps wherever it likes: a score is a number, and only its change counts. */
const still = [
  { consumer: 'a', score: '5' },
  { consumer: 'b', score: String(Date.UTC(2100, 0)) },
];

test('leases that nobody renews are over after 13 s of our own clock, whatever time stands there', async () => {
  const { clock, left, settled, endedAt } = watched(() => still);
  await clock.advance(12_999);
  expect(endedAt()).toBeUndefined();
  await clock.advance(1);
  expect(await settled).toEqual(still);
  expect(endedAt()).toBe(13_000);
  expect(left.slice(0, 3)).toEqual([13_000, 12_000, 11_000]);
});

test('without leases there is nothing to wait for', async () => {
  const { clock, settled, endedAt } = watched(() => []);
  await clock.settle();
  expect(await settled).toEqual([]);
  expect(endedAt()).toBe(0);
});

test.each([
  ['is renewed', (now: number) => [{ consumer: 'a', score: now < 4_000 ? '5' : '6' }]],
  [
    'is renewed after a step back of the clock of Redis',
    (now: number) => [{ consumer: 'a', score: now < 4_000 ? '5' : '1' }],
  ],
  ['is taken', (now: number) => (now < 4_000 ? still : [...still, { consumer: 'c', score: '1' }])],
])('as soon as one %s, that is the end of it', async (_, registerAt) => {
  const { clock, settled, endedAt } = watched(registerAt);
  await clock.advance(20_000);
  expect(await settled).toBeInstanceOf(LeasesRunningError);
  expect(endedAt()).toBe(4_000);
});

test('one that others recover meanwhile is no lease any more', async () => {
  const { clock, settled, endedAt } = watched((now) => (now < 5_000 ? still : []));
  await clock.advance(5_000);
  expect(await settled).toEqual([]);
  expect(endedAt()).toBe(5_000);
});
