import { describe, expect, test } from 'vitest';
import { readPause } from '../../../../../src/domain/pause/pause.js';
import { pausedBy } from '../../../../../src/shared/words/paused.js';

const NOON = Date.UTC(2026, 0, 2, 12);

describe('a pause as it is written', () => {
  test('says who, where, why and until when', () => {
    const text = '{"id":"p1","who":"anna","where":"web-1","why":"new main server","until":"2026-01-02T12:00:00Z"}';
    const pause = readPause(text);
    expect(pause).toEqual({ id: 'p1', who: 'anna', where: 'web-1', why: 'new main server', untilMs: NOON });
    expect(pausedBy(pause)).toBe('deliveries are paused by anna on web-1 until 2026-01-02T12:00:00Z: new main server');
  });

  test.each<[string, unknown, number | undefined]>([
    ['ISO 8601', '2026-01-02T13:00:00+01:00', NOON],
    ['without a zone, which is UTC', '2026-01-02 12:00:00', NOON],
    ['milliseconds', NOON, NOON],
    ['seconds', NOON / 1_000, NOON],
    ['no time', 'tomorrow', undefined],
    ['a day that is none', '2026-02-30T12:00:00Z', undefined],
    ['beyond all calendars', 1e300, undefined],
    ['null', null, undefined],
    ['not there', undefined, undefined],
  ])('its end, as %s', (_, until, untilMs) => {
    expect(readPause(JSON.stringify({ id: 'p', until })).untilMs).toBe(untilMs);
  });
});

describe('what cannot be read is a pause all the same', () => {
  test.each(['', 'yes', '1', '[]', 'null', '"text"', '{"id":', '{}', '{"id":7.5e400}', '{"id":{}}', '['.repeat(4_096)])(
    '%s',
    (text) => {
      const pause = readPause(text);
      expect(pause).toMatchObject({ who: '', untilMs: undefined });
      expect(pause.id).toMatch(/^(?:unnamed-[0-9a-f]{16}|Infinity)$/);
      expect(pausedBy(pause)).toMatch(/^deliveries are paused by unknown until somebody ends it/);
    },
  );

  test('two of them are two pauses, and each is the same to everybody', () => {
    expect(readPause('yes').id).toBe(readPause('yes').id);
    expect(readPause('yes').id).not.toBe(readPause('no').id);
  });

  test('fields of another type are left out, the others count', () => {
    expect(readPause('{"who":"anna","why":["x"],"where":3}')).toMatchObject({ who: 'anna', why: '', where: '3' });
  });
});

test('texts from outside cannot forge a line', () => {
  const words = pausedBy(readPause(JSON.stringify({ id: 'p', who: 'a\nINFO b', why: '\u001b[31m' })));
  expect(words).toBe('deliveries are paused by a\\x0aINFO b until somebody ends it: \\x1b[31m');
});
