import { expect, test } from 'vitest';

import { TrustedTime } from '../../../../../src/domain/dead-letters/trusted-time.js';

const HOUR = 3_600_000;
const YEARS = 10 * 365 * 24 * HOUR;
const START = 1_800_000_000_000;

/** What it says each hour, in hours since the start, where the clocks are off by so much from then on. */
function hours(offs: readonly { readonly redis?: number; readonly host?: number }[]): number[] {
  const trusted = new TrustedTime();
  return offs.map(({ redis = 0, host = 0 }, at) => {
    const now = START + at * HOUR;
    return (trusted.at({ redis: now + redis, host: now + host, monotonic: at * HOUR }) - START) / HOUR;
  });
}

test('it is the time of clocks that agree', () => {
  expect(hours([{}, {}, {}])).toEqual([0, 1, 2]);
});

test('one clock that is ahead counts for nothing, one that is behind holds it back for as long', () => {
  expect(hours([{}, { redis: YEARS }, { host: YEARS }, { redis: -2 * HOUR }])).toEqual([0, 1, 2, 1]);
});

test('both set ahead together count only when they have stayed so for a day', () => {
  const ahead = { redis: 5 * HOUR, host: 5 * HOUR };
  const said = hours([{}, ...Array.from({ length: 26 }, () => ahead)]);
  expect(said.slice(0, 25)).toEqual(Array.from({ length: 25 }, (_, at) => at));
  expect(said.slice(25)).toEqual([30, 31]);
});

test('ahead, back and ahead again begins the day anew', () => {
  const ahead = { redis: YEARS, host: YEARS };
  const said = hours([{}, ...Array.from({ length: 20 }, () => ahead), {}, ...Array.from({ length: 20 }, () => ahead)]);
  expect(said).toEqual(Array.from({ length: 42 }, (_, at) => at));
});
