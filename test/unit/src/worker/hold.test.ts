import { expect, test } from 'vitest';
import { holdOf } from '../../../../src/worker/hold.js';

const FREE = {
  pause: { isPaused: false },
  fleet: { allotment: undefined, inFlightCap: undefined },
  flow: { holdMs: () => 0 },
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
