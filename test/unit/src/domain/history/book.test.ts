import { describe, expect, test } from 'vitest';
import {
  byUnit,
  dayName,
  dayOf,
  monthName,
  readHistoryLine,
  startOf,
  sumOf,
  type HistoryEntry,
} from '../../../../../src/domain/history/book.js';

const at = (text: string): number => Date.parse(text);
const entry = (time: string, delivered: number, oldestWaitSeconds = 0, mostWaiting = 0): HistoryEntry => ({
  at: at(time),
  delivered,
  failed: 1,
  retried: 1,
  buried: 0,
  arrived: delivered,
  oldestWaitSeconds,
  mostWaiting,
});

describe('a line of the history', () => {
  test('is read as it is written', () => {
    expect(readHistoryLine('12 3 2 1 14 7.5 90')).toEqual({
      delivered: 12,
      failed: 3,
      retried: 2,
      buried: 1,
      arrived: 14,
      oldestWaitSeconds: 7.5,
      mostWaiting: 90,
    });
  });

  test.each(['', '1 2 3', 'a b c d e f g', '1 2 3 4 5 6 7 8', '-1 0 0 0 0 0 0', 'Infinity 0 0 0 0 0 0'])(
    'that nobody of ours wrote counts nothing: %s',
    (text) => expect(sumOf([readHistoryLine(text)])).toEqual(readHistoryLine('0 0 0 0 0 0 0')),
  );
});

describe('the history by unit of time', () => {
  test('adds counts up, keeps maxima, and has a line for each hour without anything', () => {
    const entries = [
      entry('2026-11-25T22:10Z', 1, 5, 10),
      entry('2026-11-25T22:50Z', 2, 3, 40),
      entry('2026-11-26T00:00Z', 4),
    ];
    const hours = byUnit(entries, 'hour', { from: at('2026-11-25T22:00Z'), now: at('2026-11-26T00:30Z') });
    expect(hours.map(({ at: begins, delivered }) => [new Date(begins).toISOString(), delivered])).toEqual([
      ['2026-11-25T22:00:00.000Z', 3],
      ['2026-11-25T23:00:00.000Z', 0],
      ['2026-11-26T00:00:00.000Z', 4],
    ]);
    expect(hours[0]).toMatchObject({ oldestWaitSeconds: 5, mostWaiting: 40, failed: 2 });
    expect(sumOf(hours)).toMatchObject({ delivered: 7, oldestWaitSeconds: 5 });
  });

  test('leaves out what lies before its start and after now', () => {
    const entries = [entry('2026-11-24T23:59Z', 1), entry('2026-11-25T00:00Z', 2), entry('2026-11-27T00:00Z', 4)];
    const days = byUnit(entries, 'day', { from: at('2026-11-25T00:00Z'), now: at('2026-11-26T23:59Z') });
    expect(days.map(({ delivered }) => delivered)).toEqual([2, 0]);
  });

  test('begins with a whole day by day, and so many times 24 hours ago else', () => {
    const now = at('2026-03-01T10:20:30Z');
    const start = (days: number, unit: 'minute' | 'hour' | 'day') => new Date(startOf(days, unit, now)).toISOString();
    expect(start(1, 'day')).toBe('2026-03-01T00:00:00.000Z');
    expect(start(2, 'day')).toBe('2026-02-28T00:00:00.000Z');
    expect(start(1, 'hour')).toBe('2026-02-28T11:00:00.000Z');
    expect(start(1, 'minute')).toBe('2026-02-28T10:21:00.000Z');
    expect(byUnit([], 'hour', { from: startOf(1, 'hour', now), now })).toHaveLength(24);
    expect(byUnit([], 'day', { from: startOf(7, 'day', now), now })).toHaveLength(7);
  });

  test('names days and months as their keys do', () => {
    const day = dayOf(at('2024-02-29T23:59:59.999Z'));
    expect([dayName(day), monthName(day), dayName(day + 1)]).toEqual(['2024-02-29', '2024-02', '2024-03-01']);
  });
});
