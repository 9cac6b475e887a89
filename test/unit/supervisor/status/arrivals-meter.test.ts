import { expect, test } from 'vitest';
import { ArrivalsMeter, NO_ARRIVALS } from '../../../../supervisor/status/arrivals-meter.js';

/** A look every two seconds. @returns what is said after the last. */
function after(looks: readonly { readonly arrived: number; readonly waiting: number }[], meter = new ArrivalsMeter()) {
  looks.forEach((look, at) => meter.look({ ...look, at: at * 2_000 }, at * 2_000));
  return meter.arrivalsAt((looks.length - 1) * 2_000);
}

const steadily = (arriving: number, waitingFrom: number, growing: number, looks = 11) =>
  Array.from({ length: looks }, (_, at) => ({ arrived: arriving * at, waiting: waitingFrom + growing * at }));

test('nothing is said before there are some looks, and the total from the first on', () => {
  expect(new ArrivalsMeter().arrivalsAt(0)).toEqual(NO_ARRIVALS);
  expect(after(steadily(10, 500, 0, 1))).toEqual({ ...NO_ARRIVALS, arrived: 0 });
  expect(after(steadily(10, 500, 0, 3))).toMatchObject({ arrived: 20, arrived_per_second: 5, trend: 'level' });
});

test('a backlog that shrinks is caught up in the time that it takes at this pace', () => {
  // of 1,080 messages left, 40 fewer every two seconds
  expect(after(steadily(20, 1_480, -40))).toEqual({
    arrived: 200,
    arrived_per_second: 10,
    trend: 'shrinking',
    caught_up_in_seconds: 54,
  });
});

test.each([
  ['grows', steadily(100, 1_000, 60), 'growing'],
  ['stays as it is', steadily(100, 5_000, 1), 'level'],
  ['is no more than what is on its way', steadily(2_000, 1_500, 20), 'none'],
  ['is a handful', steadily(0, 20, -1), 'none'],
])('what waits %s', (_, looks, trend) => {
  expect(after(looks)).toMatchObject({ trend, caught_up_in_seconds: null });
});

test('only the last 20 s count: of an outage that is over nothing is left', () => {
  const outage = steadily(100, 0, 100, 30);
  const last = outage.at(-1)!;
  const drained = Array.from({ length: 11 }, (_, at) => ({
    arrived: last.arrived + 100 * at,
    waiting: last.waiting - 200 * at,
  }));
  expect(after([...outage, ...drained.slice(1)])).toMatchObject({ trend: 'shrinking', arrived_per_second: 50 });
});

test('what was seen before Redis was emptied, another queue, or a silence says nothing', () => {
  const meter = new ArrivalsMeter();
  after(steadily(100, 1_000, 10), meter);
  meter.look({ at: 22_000, arrived: 3, waiting: 0 }, 22_000);
  expect(meter.arrivalsAt(22_000)).toEqual({ ...NO_ARRIVALS, arrived: 3 });
  after(steadily(100, 1_000, 10), meter);
  expect(meter.arrivalsAt(20_000 + 10_001)).toEqual(NO_ARRIVALS);
  meter.forget();
  expect(meter.arrivalsAt(20_000)).toEqual(NO_ARRIVALS);
});

test('a step of the clock of Redis begins anew', () => {
  const meter = new ArrivalsMeter();
  after(steadily(100, 1_000, 10), meter);
  meter.look({ at: 5_000, arrived: 1_200, waiting: 900 }, 22_000);
  expect(meter.arrivalsAt(22_000)).toEqual({ ...NO_ARRIVALS, arrived: 1_200 });
});
