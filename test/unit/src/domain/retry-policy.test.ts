import { describe, expect, it } from 'vitest';
import { nextStep, young404DelayMs } from '../../../../src/domain/retry-policy.js';

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

describe('young404DelayMs', () => {
  const young = { repeat: 0, ageMs: 50, attemptCount: 0, graceMs: 2000 };

  it('repeats four times, then fails the attempt', () => {
    const delays = [0, 1, 2, 3, 4, 5].map((repeat) => young404DelayMs({ ...young, repeat }));
    expect(delays).toEqual([100, 200, 400, 800, undefined, undefined]);
  });

  it.each([
    ['just within the grace', { ageMs: 1999 }, 100],
    ['at the grace', { ageMs: 2000 }, undefined],
    ['old', { ageMs: 60_000 }, undefined],
    ['from a clock that is ahead', { ageMs: -3_600_000 }, 100],
    ['of unknown age', { ageMs: undefined }, undefined],
    ['not in its first attempt', { attemptCount: 1 }, undefined],
    ['with the grace off', { graceMs: 0 }, undefined],
    ['with the grace off and a clock that is ahead', { graceMs: 0, ageMs: -1 }, undefined],
    ['with the grace off, in a repeat', { graceMs: 0, repeat: 1 }, undefined],
    ['grown old while it was repeated', { ageMs: 2500, repeat: 3 }, 800],
  ])('a message %s', (_name, change, delay) => {
    expect(young404DelayMs({ ...young, ...change })).toBe(delay);
  });
});
