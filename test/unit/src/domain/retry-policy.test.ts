import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterFailure, nextStep } from '../../../../src/domain/retry-policy.js';

describe('nextStep', () => {
  it.each([
    [0, 10_000, 'attempt'],
    [9_999, 10_000, 'attempt'],
    [10_000, 10_000, 'give-up'],
    [10_001, 10_000, 'give-up'],
    [0, 1, 'attempt'],
    [1, 1, 'give-up'],
  ])('%d failed attempts of %d: %s', (attemptCount, maxAttempts, step) => {
    expect(nextStep(attemptCount, maxAttempts)).toBe(step);
  });
});

describe('afterFailure', () => {
  const failure = { attemptCount: 3, maxAttempts: 10, fateUnknown: false, intervalMs: 30_000, timeoutMs: 30_000 };

  it('counts an attempt with a definite answer, and waits one interval', () => {
    expect(afterFailure(failure)).toEqual({ attemptCount: 4, delayMs: 30_000 });
    expect(afterFailure({ ...failure, attemptCount: 9 })).toEqual({ attemptCount: 10, delayMs: 30_000 });
    expect(afterFailure({ ...failure, intervalMs: 1_000 })).toEqual({ attemptCount: 4, delayMs: 1_000 });
  });

  it.each([
    ['in the middle', { attemptCount: 3 }, 4, 30_000],
    ['as the last', { attemptCount: 9 }, 9, 30_000],
    ['as the only one', { attemptCount: 0, maxAttempts: 1 }, 0, 30_000],
    ['as the last, with a short interval', { attemptCount: 9, intervalMs: 1_000 }, 9, 59_000],
    ['as the last but one, with a short interval', { attemptCount: 8, intervalMs: 1_000 }, 9, 59_000],
    ['with many to come', { attemptCount: 3, maxAttempts: 10_000, intervalMs: 1_000 }, 4, 1_000],
    ['with a long interval', { attemptCount: 9, intervalMs: 3_600_000 }, 9, 3_600_000],
  ])('of unknown fate, %s', (_, change, attemptCount, delayMs) => {
    expect(afterFailure({ ...failure, ...change, fateUnknown: true })).toEqual({ attemptCount, delayMs });
  });

  it('never lets a message be given up before a post of unknown fate is two time-outs old, nor without an answer', () => {
    const fates = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        fates,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 100, max: 60_000 }),
        fc.integer({ min: 100, max: 60_000 }),
        (unknown, maxAttempts, intervalMs, timeoutMs) => {
          let attemptCount = 0;
          let now = 0;
          let unknownAt = -Infinity;
          for (const fateUnknown of unknown) {
            if (fateUnknown) unknownAt = now;
            const next = afterFailure({ attemptCount, maxAttempts, fateUnknown, intervalMs, timeoutMs });
            expect(next.delayMs % intervalMs).toBe(0);
            now += next.delayMs;
            attemptCount = next.attemptCount;
            if (nextStep(attemptCount, maxAttempts) === 'attempt') continue;
            expect(fateUnknown).toBe(false);
            expect(now - unknownAt).toBeGreaterThanOrEqual(2 * timeoutMs);
            return;
          }
        },
      ),
    );
  });
});
