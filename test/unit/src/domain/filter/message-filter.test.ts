import { expect, test } from 'vitest';
import { isTimed, isUnfiltered, timeBoundsOf } from '../../../../../src/domain/filter/message-filter.js';
import { parseMoment, parseTimeSpan } from '../../../../../src/domain/filter/moment.js';

test('a place alone is no filter: it means all that lie there', () => {
  expect(isUnfiltered({})).toBe(true);
  expect(isUnfiltered({ places: ['retry'] })).toBe(true);
  expect(isUnfiltered({ places: ['retry'], olderThanMs: 0 })).toBe(false);
});

test.each([
  [{}, -Infinity, Infinity],
  [{ olderThanMs: 100 }, -Infinity, 900],
  [{ newerThanMs: 300 }, 700, Infinity],
  [{ newerThanMs: 300, sinceMs: 650 }, 700, Infinity],
  [{ newerThanMs: 300, sinceMs: 750, untilMs: 800 }, 750, 800],
  [{ olderThanMs: 100, untilMs: 950 }, -Infinity, 900],
])('ages and times together mean what all of them mean: %j', (filter, from, to) => {
  expect(timeBoundsOf(filter, 1_000)).toEqual({ from, to });
  expect(isTimed(filter)).toBe(from !== -Infinity || to !== Infinity);
});

test.each([
  ['2026-01-15T10:30Z', '2026-01-15T10:30:00.000Z'],
  ['2026-01-15 10:30:05z', '2026-01-15T10:30:05.000Z'],
  ['2026-01-15T10:30:05.25+01:00', '2026-01-15T09:30:05.250Z'],
  ['2026-01-15T10:30-0530', '2026-01-15T16:00:00.000Z'],
  // of a query, in which a plus is a blank
  ['2026-01-15T10:30:05 01:00', '2026-01-15T09:30:05.000Z'],
])('%s is a time', (text, iso) => {
  expect(new Date(parseMoment(text) ?? NaN).toISOString()).toBe(iso);
});

test.each(['2026-01-15T10:30', '2026-01-15', '2026-02-30T10:30Z', '2026-01-15T24:30Z', 'yesterday', '', '10:30Z'])(
  '%j is none',
  (text) => {
    expect(parseMoment(text)).toBeUndefined();
  },
);

test.each([
  ['90s', 90_000],
  ['90', 90_000],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
  ['soon', undefined],
  ['-1s', undefined],
  ['1w', undefined],
  ['', undefined],
  ['Infinity', undefined],
])('a time span of %j', (text, ms) => {
  expect(parseTimeSpan(text)).toBe(ms);
});
