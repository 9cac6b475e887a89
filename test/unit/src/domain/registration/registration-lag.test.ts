import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegistrationLag } from '../../../../../src/domain/registration/registration-lag.js';
import {
  between,
  following,
  learned,
  seeded,
  simulate,
  SMALL_STEPS,
  steps,
  TODAY,
  type Figures,
  type Lag,
} from './simulation.js';

const GRACE_MS = 2_000;

function figures(lag: Lag, seed: number): Figures {
  return simulate({ policy: learned(seeded(seed)), lag, learnedAfter: 300 });
}

describe('what is learned of a lag, on a quiet system', () => {
  it.each([1, 2, 3, 4, 5])('20 to 90 ms: near the least that is possible, with few asked for in vain (%d)', (seed) => {
    const { timesFloorP50, timesFloorP99, wasted, failed } = figures(between(seeded(seed + 100), 20, 90), seed);
    expect(timesFloorP50).toBeLessThan(1.4);
    expect(timesFloorP99).toBeLessThan(1.3);
    expect(wasted).toBeLessThan(0.35);
    expect(failed).toBe(0);
  });

  it.each([
    [10, 1.15, 0.15],
    [50, 1.1, 0.15],
    [150, 1.05, 0.15],
    [240, 1.05, 0.2],
  ])('always %d ms: the early ones alone are asked for in vain', (lagMs, times, mostWasted) => {
    const { timesFloorP50, wasted } = figures(() => lagMs, 1);
    expect(timesFloorP50).toBeLessThan(times);
    expect(wasted).toBeLessThan(mostWasted);
  });

  it('longer than anything is held for: fewer looks than small steps make', () => {
    const { timesFloorP50, wasted } = figures(() => 400, 1);
    expect(timesFloorP50).toBeLessThan(1.15);
    expect(wasted).toBeLessThan(3);
  });

  it('none: nothing is held, and nothing asked for in vain', () => {
    expect(figures(() => 0, 1)).toMatchObject({ timesFloorP50: 1, timesFloorP99: 1, wasted: 0 });
  });

  it('mostly short, at times long: the many do not wait for the few', () => {
    const random = seeded(9);
    const { timesFloorP50, timesFloorP99, wasted } = figures(
      () => (random() < 0.8 ? 25 + 10 * random() : 150 + 20 * random()),
      1,
    );
    expect(timesFloorP50).toBeLessThan(1.4);
    expect(timesFloorP99).toBeLessThan(1.4);
    expect(wasted).toBeLessThan(0.7);
  });

  it('another one each quarter of an hour', () => {
    const random = seeded(9);
    const lags: readonly [number, number][] = [
      [20, 90],
      [120, 180],
      [0, 10],
      [60, 70],
    ];
    const lag: Lag = (number, of) => {
      const [from, to] = lags[Math.floor((number * lags.length) / of)] ?? [0, 0];
      return from + (to - from) * random();
    };
    const { wasted, timesFloorP99, failed } = figures(lag, 2);
    expect(wasted).toBeLessThan(0.4);
    expect(timesFloorP99).toBeLessThan(1.3);
    expect(failed).toBe(0);
  });

  it('beats what was done before, small steps alone, and a quantile that follows each first look', () => {
    const run = (policy: Parameters<typeof simulate>[0]['policy']) =>
      simulate({ policy, lag: between(seeded(5), 20, 90) });
    const before = run(steps(TODAY));
    const small = run(steps(SMALL_STEPS));
    const followed = run(following(seeded(6)));
    const built = run(learned(seeded(6)));
    expect(before.timesFloorP50).toBeGreaterThan(1.7);
    expect(small.wasted).toBeGreaterThan(2);
    expect(built.p50).toBeLessThan(before.p50 * 0.8);
    expect(built.wasted).toBeLessThan(followed.wasted + 0.05);
    const constant = { lag: () => 50 };
    expect(simulate({ policy: learned(seeded(6)), ...constant }).wasted).toBeLessThan(
      simulate({ policy: following(seeded(6)), ...constant }).wasted / 2,
    );
  });

  it.each([
    ['vanishes', 0, 300],
    ['grows to 200 ms', 200, 120],
  ])('a lag that %s is unlearned within %d messages', (_, lagMs, messages) => {
    const policy = learned(seeded(4));
    simulate({ policy, lag: between(seeded(5), 20, 90) });
    const { timesFloorP50, wasted } = simulate({
      policy,
      lag: () => lagMs,
      messages: messages + 200,
      learnedAfter: messages,
    });
    expect(timesFloorP50).toBeLessThan(1.2);
    expect(wasted).toBeLessThan(0.3);
  });
});

describe('clocks of producers', () => {
  const lag = between(seeded(8), 20, 90);

  it.each([
    ['5 s behind', () => 5_000],
    ['5 s ahead', () => -5_000],
    ['hours behind', () => 3 * 3_600_000],
    ['hours ahead', () => -3 * 3_600_000],
    ['set forward by 5 s in the middle', (number: number) => (number < 2_000 ? 0 : -5_000)],
    ['set back by 5 s in the middle', (number: number) => (number < 2_000 ? 0 : 5_000)],
    ['one a minute behind the other', (number: number) => (number % 2) * 60_000],
  ])('%s: as with the right time', (_, skewMs) => {
    const { timesFloorP50, wasted, failed } = simulate({ policy: learned(seeded(3)), lag, skewMs });
    expect(timesFloorP50).toBeLessThan(1.4);
    expect(wasted).toBeLessThan(0.4);
    expect(failed).toBe(0);
  });

  it('are as many as there are clients: the age of each counts by its own', () => {
    const skewMs = (number: number) => ((number % 20) - 10) * 1_000;
    const clientId = (number: number) => `client-${number % 20}`;
    const { timesFloorP50, wasted } = simulate({ policy: learned(seeded(3)), lag, skewMs, clientId });
    expect(timesFloorP50).toBeLessThan(1.4);
    expect(wasted).toBeLessThan(0.4);
  });
});

describe('a message in a backlog', () => {
  function known(): RegistrationLag {
    const lag = new RegistrationLag({ graceMs: GRACE_MS, random: () => 0.5 });
    for (let number = 0; number < 100; number += 1) {
      const young = lag.look({ clientId: 'c', ageMs: 2, wasAwaited: true, now: 0 });
      lag.registered(young, 70, 75);
    }
    return lag;
  }

  it('costs one comparison, and is not taken for one of a slow clock', () => {
    const lag = known();
    expect(lag.oldFromMs).toBe(252);
    const young = lag.look({ clientId: 'c', ageMs: 30_000, wasAwaited: false, now: 0 });
    expect(lag.holdMs(young, 0)).toBe(0);
    expect(lag.againInMs(young, 1, 8)).toBeUndefined();
  });

  it('teaches no lag, however long each waits for its turn', () => {
    const lag = new RegistrationLag({ graceMs: GRACE_MS, random: () => 0.5 });
    for (let number = 0; number < 1_000; number += 1) {
      const young = lag.look({ clientId: 'c', ageMs: 150 + (number % 80), wasAwaited: false, now: 0 });
      lag.registered(young, undefined, 1);
    }
    expect(lag.lagMs).toBe(0);
  });

  it('is held for what is left of the lag, by the monotonic clock', () => {
    const lag = known();
    const young = lag.look({ clientId: 'c', ageMs: 32, wasAwaited: false, now: 1_000 });
    expect(lag.holdMs(young, 1_000)).toBeCloseTo(lag.lagMs - 30);
    expect(lag.holdMs(young, 1_100)).toBe(0);
  });
});

describe('after a 404', () => {
  const young = { enqueuedAt: 0, firstLookMs: 0, isEarly: false, isPast: true };

  /** The ages of all looks at a message that is never registered; each is answered at once. */
  function looks(graceMs: number): number[] {
    const lag = new RegistrationLag({ graceMs, random: () => 0.5 });
    const ages = [0];
    for (let again = lag.againInMs(young, 1, 0); again !== undefined;) {
      ages.push((ages.at(-1) ?? 0) + again);
      again = lag.againInMs(young, ages.length, ages.at(-1) ?? 0);
    }
    return ages.map(Math.round);
  }

  it('it is asked for again in small steps that grow, for the last time when the grace is over', () => {
    expect(looks(2_000)).toEqual([0, 20, 50, 95, 163, 264, 416, 643, 985, 1_498, 2_000]);
  });

  it('no registration is missed by more than 1 s within a longer grace', () => {
    const ages = looks(60_000);
    expect(ages.at(-1)).toBe(60_000);
    expect(Math.max(...ages.map((age, at) => age - (ages[at - 1] ?? 0)))).toBe(1_000);
  });

  it('nothing is asked for again with the grace off, nor held', () => {
    const lag = new RegistrationLag({ graceMs: 0, random: () => 0.5 });
    expect(lag.oldFromMs).toBe(-Infinity);
    expect(lag.againInMs(young, 1, 0)).toBeUndefined();
  });
});

it('holds nothing for more than 250 ms, whatever it has seen, and asks again within the grace and 4 s', () => {
  const message = fc.record({
    clientId: fc.constantFrom('', 'a', 'b'),
    ageMs: fc.oneof(fc.integer({ min: -10, max: 500 }), fc.integer({ min: -1e11, max: 1e11 })),
    wasAwaited: fc.boolean(),
    unknownMs: fc.option(fc.integer({ min: -100, max: 5_000 }), { nil: undefined }),
    foundMs: fc.integer({ min: -100, max: 5_000 }),
    chance: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 80 }), (messages) => {
      let chance = 0;
      const lag = new RegistrationLag({ graceMs: GRACE_MS, random: () => chance });
      for (const seen of messages) {
        chance = seen.chance;
        const now = 1_000;
        const young = lag.look({ ...seen, now });
        const holdMs = lag.holdMs(young, now);
        expect(holdMs).toBeGreaterThanOrEqual(0);
        expect(holdMs).toBeLessThanOrEqual(250);
        const againMs = lag.againInMs(young, 1, now) ?? 1;
        expect(againMs).toBeGreaterThan(0);
        expect(againMs).toBeLessThanOrEqual(GRACE_MS);
        const unknownAt = seen.unknownMs === undefined ? undefined : now + seen.unknownMs;
        lag.registered(young, unknownAt, now + seen.foundMs);
        expect(lag.lagMs).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});
