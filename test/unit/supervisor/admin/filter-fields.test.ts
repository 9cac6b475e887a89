import { expect, test } from 'vitest';
import { readFields } from '../../../../supervisor/admin/fields.js';
import { DEAD_LETTER_FILTER, filterOfFields, MESSAGE_FILTER } from '../../../../supervisor/admin/filter-fields.js';
import type { DeadLetterFields, MessageFields } from '../../../../supervisor/admin/protocol.js';

const read = (given: Record<string, unknown>) =>
  filterOfFields(readFields<DeadLetterFields>(given, DEAD_LETTER_FILTER));

test('every field says something of which messages are meant, and what is not given nothing', () => {
  expect(read({})).toEqual({});
  const words = { reason: 'poison', client: 'c', domain: 'd', id: 7, id_prefix: 'p', text: 't', answer: 'n' };
  const times = { older_than_seconds: 1.5, newer_than_seconds: 60, since: '2026-01-15T10:30Z' };
  expect(read({ ...words, ...times, until: '2026-01-15T12:30:00 01:00' })).toEqual({
    reason: 'poison',
    client: 'c',
    domain: 'd',
    ids: ['7'],
    idPrefix: 'p',
    text: 't',
    answer: 'n',
    olderThanMs: 1_500,
    newerThanMs: 60_000,
    sinceMs: Date.parse('2026-01-15T10:30Z'),
    untilMs: Date.parse('2026-01-15T11:30Z'),
  });
});

test('several ids stand for one', () => {
  expect(filterOfFields({ ids: ['a', 'b'] })).toEqual({ ids: ['a', 'b'] });
});

test.each([
  [{ since: '2026-01-15T10:30' }, /since is "2026-01-15T10:30"; it must be a time with its zone/],
  [{ until: 7 }, /until is 7; it must be a time/],
  [{ id_prefix: '' }, /id_prefix is ""; it must be a text/],
  [{ id_pre: 'a' }, /no field "id_pre" here; known are: .*id_prefix/],
])('%j is refused with what would be right', (fields, sentence) => {
  expect(() => read(fields)).toThrow(sentence);
});

test('of messages the place and the due time say something as well', () => {
  const message = (given: Record<string, unknown>) => filterOfFields(readFields<MessageFields>(given, MESSAGE_FILTER));
  expect(message({ in: 'waiting,in-flight,retry', due_within_seconds: 10, reason: 'http_503' })).toEqual({
    places: ['waiting', 'in_flight', 'retry'],
    dueWithinMs: 10_000,
    reason: 'http_503',
  });
  expect(() => message({ in: 'waiting,nowhere' })).toThrow(
    /in is .*; it must be one of waiting, in_flight, retry, dead/,
  );
  expect(() => message({ in: '' })).toThrow(/it must be one of/);
  expect(() => message({ in: 'dead', due_within_seconds: 10 })).toThrow(/^Only retries are due/);
  expect(() => message({ older_than_seconds: 20, newer_than_seconds: 10 })).toThrow(/^The times exclude each other/);
});
