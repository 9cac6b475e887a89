import { expect, test } from 'vitest';
import { holdOf } from '../../../../src/worker/hold.js';

const FREE = {
  pause: { isPaused: false },
  fleet: { allotment: undefined, inFlightCap: undefined },
  flow: { holdMs: () => 0 },
  pace: { isHolding: false, perSecond: 0 },
};

test('a worker that may claim is held by nothing', () => {
  expect(holdOf(FREE, 0)).toBeUndefined();
});

test('the rest that the main server asked for has a name and an end', () => {
  const flow = { holdMs: (now: number) => 20_000 - now };
  expect(holdOf({ ...FREE, flow }, 600)).toEqual({
    by: 'retry_after',
    text: 'the main server asks for 20 s of rest (Retry-After)',
  });
});

test('a pause comes first', () => {
  const flow = { holdMs: () => 20_000 };
  expect(holdOf({ ...FREE, flow, pause: { isPaused: true } }, 0)).toMatchObject({ by: 'paused' });
});

test('a worker without a part of the cap is held by it, more than by the rate', () => {
  const pace = { isHolding: true, perSecond: 50 };
  const fleet = { allotment: { limit: 0, share: 0, members: 12 }, inFlightCap: 0 };
  expect(holdOf({ ...FREE, pace, fleet }, 0)).toEqual({
    by: 'fleet_cap',
    text: 'fleet cap: MAIN_SERVER_MAX_IN_FLIGHT leaves nothing for this one of 12 workers',
  });
  expect(holdOf({ ...FREE, pace }, 0)).toEqual({
    by: 'rate',
    text: 'rate: MAIN_SERVER_MAX_RATE is 50 a second for all workers',
  });
});
