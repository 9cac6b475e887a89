import { expect, test } from 'vitest';
import { Pace } from '../../../../../src/domain/flow/pace.js';

test('who found too few tokens asks when the next one comes, and all together a hundred times a second at most', () => {
  const fleet = { consumers: 1 };
  const pace = new Pace(1_000, fleet);
  const restAfter = (tokenInMs: number): number => {
    pace.asked(tokenInMs, 0);
    return pace.restMs(500, 0);
  };
  expect([restAfter(40), restAfter(1)]).toEqual([40, 10]);
  fleet.consumers = 8;
  expect([restAfter(40), restAfter(200)]).toEqual([80, 200]);
  fleet.consumers = 500;
  expect([restAfter(1), restAfter(5_000)]).toEqual([250, 500]);
  expect([pace.isHeld(4_999), pace.isHeld(5_000), pace.isHolding]).toEqual([true, false, true]);
});

test('an empty queue is asked ten times a second; without a rate nothing rests for its sake', () => {
  const pace = new Pace(50, { consumers: 3 });
  pace.asked(0, 0);
  expect([pace.restMs(500, 0), pace.isHolding, pace.isHeld(0)]).toEqual([100, false, false]);
  expect(new Pace(0, { consumers: 3 }).restMs(500, 0)).toBe(500);
});
