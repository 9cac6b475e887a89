import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RedisClock } from '../../../../../src/domain/clocks/redis-clock.js';

const WINDOW_MS = 30_000;
const START = Date.UTC(2025, 0, 15);

/** Looks twice a second; `aheadMs` = what Redis's clock is ahead of the pace. */
function look(clock: RedisClock, at: number, aheadMs = 0, answerMs = 2) {
  return clock.heard({ sentAt: at, heardAt: at + answerMs, redisNow: START + at + answerMs / 2 + aheadMs });
}

describe('the clock of Redis', () => {
  test('that keeps pace is no news, however slow its answers are', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ pause: fc.nat(5_000), answer: fc.nat(20_000) })), (looks) => {
        const clock = new RedisClock(WINDOW_MS);
        let at = 0;
        for (const { pause, answer } of looks) {
          expect(look(clock, at, 0, answer)).toBeUndefined();
          at += answer + pause;
          expect(clock.latest(at)).toBeGreaterThanOrEqual(START + at);
          expect(clock.earliest(at)).toBeLessThanOrEqual(START + at);
        }
      }),
    );
  });

  test.each([-20_000, -3_600_000, -315_360_000_000])('set back by %i ms is told once', (byMs) => {
    const clock = new RedisClock(WINDOW_MS);
    look(clock, 0);
    expect(look(clock, 500, byMs)?.byMs).toBeCloseTo(byMs, -2);
    expect(look(clock, 1_000, byMs)).toBeUndefined();
    expect(clock.latest(1_500)).toBeLessThan(START + 2_500 + byMs);
    expect(clock.earliest(1_500)).toBeGreaterThan(START + 500 + byMs);
  });

  test.each([20_000, 3_600_000, 315_360_000_000])(
    'set ahead by %i ms: for a window the old reckoning holds',
    (byMs) => {
      const clock = new RedisClock(WINDOW_MS);
      expect(clock.latest(0)).toBeUndefined();
      look(clock, 0);
      expect(look(clock, 500, byMs)?.byMs).toBeCloseTo(byMs, -2);
      for (let at = 1_000; at < WINDOW_MS; at += 500) {
        expect(clock.latest(at)).toBeLessThan(START + at + 1_000);
        expect(look(clock, at, byMs)).toBeUndefined();
      }
      expect(clock.latest(WINDOW_MS + 1_000)).toBeGreaterThanOrEqual(START + WINDOW_MS + byMs);
    },
  );

  test('set ahead in small steps counts from the first', () => {
    const clock = new RedisClock(WINDOW_MS);
    look(clock, 0);
    for (let step = 1; step <= 10; step += 1)
      expect(look(clock, step * 1_000, step * 5_000)?.byMs).toBeCloseTo(5_000, -2);
    expect(clock.latest(11_000)).toBeLessThan(START + 12_000);
  });

  test('set ahead and back again is as it was', () => {
    const clock = new RedisClock(WINDOW_MS);
    look(clock, 0);
    look(clock, 500, 60_000);
    expect(look(clock, 1_000)?.byMs).toBeCloseTo(-60_000, -2);
    expect(clock.latest(1_500)).toBeGreaterThanOrEqual(START + 1_500);
    expect(clock.latest(1_500)).toBeLessThan(START + 3_000);
  });

  test('however it is set, nothing falls due before its window is over, nor later than that by steps ahead', () => {
    const step = fc.record({
      looks: fc.nat(80),
      byMs: fc.oneof(fc.integer({ min: -90_000, max: 90_000 }), fc.nat(3_000)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const clock = new RedisClock(WINDOW_MS);
        const scheduled: { readonly at: number; readonly score: number }[] = [];
        let [at, aheadMs] = [0, 0];
        const lookOn = (looks: number) => {
          for (let left = looks; left > 0; left -= 1, at += 500) {
            look(clock, at, aheadMs);
            const due = Math.min(clock.latest(at + 2) ?? Infinity, START + at + 2 + aheadMs);
            const early = scheduled.filter((retry) => retry.score <= due && at < retry.at + WINDOW_MS - 1_000);
            expect(early).toEqual([]);
            scheduled.push({ at, score: START + at + aheadMs + WINDOW_MS });
          }
        };
        for (const { looks, byMs } of steps) {
          lookOn(looks + 1);
          aheadMs += byMs;
        }
        lookOn(1 + WINDOW_MS / 500);
        expect(clock.latest(at + 500)).toBeGreaterThanOrEqual(START + at + aheadMs);
      }),
    );
  });
});
