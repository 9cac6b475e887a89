import { expect, test } from 'vitest';
import { LEASE_MS, LeaseWatch } from '../../../../../src/domain/clocks/lease-watch.js';

/** Looks each second from `from` to `to`, each answered at once; `scoreAt` says what stands there. Names when it was over. */
function watched(watch: LeaseWatch, from: number, to: number, scoreAt: (at: number) => number): number[] {
  const over: number[] = [];
  for (let at = from; at <= to; at += 1_000) {
    const found = watch.look([{ consumer: 'a', score: String(scoreAt(at)) }], { sentAt: at, readAt: at });
    if (found.length > 0) over.push(at);
  }
  return over;
}

const still = () => 5;

test('a lease is over when its score has stood still for 13 s, and not a moment before', () => {
  const watch = new LeaseWatch();
  expect(watched(watch, 0, 20_000, still)[0]).toBe(LEASE_MS);
  expect(new LeaseWatch().dueInMs(0)).toBeUndefined();
});

test('the time counts from the answer that showed the score to the question that showed it still', () => {
  const watch = new LeaseWatch();
  const look = (sentAt: number, readAt: number) => watch.look([{ consumer: 'a', score: '5' }], { sentAt, readAt });
  look(0, 900);
  for (let at = 2_000; at < 13_900; at += 1_000) expect(look(at, at + 900)).toEqual([]);
  expect(watch.dueInMs(13_000)).toBe(900);
  expect(look(13_900, 14_800)).toEqual([{ consumer: 'a', score: '5' }]);
});

test('any change is a renewal: upward, downward, by one, by ten years', () => {
  for (const change of [1, -1, 20_000, -20_000, 3_600_000, -3_600_000, 3.2e11, -3.2e11]) {
    const watch = new LeaseWatch();
    expect(watched(watch, 0, 120_000, (at) => 1e12 + Math.floor(at / 12_000) * change)).toEqual([]);
  }
});

test('after a gap between two looks the count begins again, 6 s later', () => {
  const watch = new LeaseWatch();
  expect(watched(watch, 0, 12_000, still)).toEqual([]);
  expect(watched(watch, 15_501, 60_000, still)[0]).toBe(15_501 + 6_000 + LEASE_MS);
});

test('an answer that took too long is a gap as well: it may be old', () => {
  const watch = new LeaseWatch();
  watched(watch, 0, 12_000, still);
  expect(watch.look([{ consumer: 'a', score: '5' }], { sentAt: 13_000, readAt: 33_000 })).toEqual([]);
  expect(watched(watch, 34_000, 80_000, still)[0]).toBeGreaterThanOrEqual(33_000 + LEASE_MS);
});

test('looks a little apart are no gap', () => {
  const watch = new LeaseWatch();
  const over: number[] = [];
  for (let at = 0; at <= 14_000; at += 3_500) {
    if (watch.look([{ consumer: 'a', score: '5' }], { sentAt: at, readAt: at }).length > 0) over.push(at);
  }
  expect(over).toEqual([14_000]);
});

test('a refused write begins again: nobody could renew', () => {
  const watch = new LeaseWatch();
  watched(watch, 0, 12_000, still);
  watch.beginAgain(12_500);
  expect(watch.dueInMs(12_500)).toBeUndefined();
  expect(watched(watch, 13_000, 60_000, still)[0]).toBe(32_000); // the first look after 12.5 + 6 + 13 s
});

test('what vanished and came back is new', () => {
  const watch = new LeaseWatch();
  watched(watch, 0, 10_000, still);
  watch.look([], { sentAt: 11_000, readAt: 11_000 });
  expect(watched(watch, 12_000, 60_000, still)[0]).toBe(12_000 + LEASE_MS);
});
