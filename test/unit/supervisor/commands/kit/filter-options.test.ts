import { Command } from 'commander';
import { expect, test } from 'vitest';
import type { MessagePlace } from '../../../../../src/domain/filter/message-filter.js';
import {
  addFilterOptions,
  filterOf,
  type FilterOptions,
} from '../../../../../supervisor/commands/kit/options/filter-options.js';

const NOW = Date.parse('2026-01-15T12:00:00Z');

function parsed(places: readonly MessagePlace[], ...flags: string[]) {
  const silent = { writeErr: () => undefined, writeOut: () => undefined };
  const command = addFilterOptions(new Command('some').exitOverride().configureOutput(silent), places);
  return filterOf(command.parse(flags, { from: 'user' }).opts<FilterOptions>(), NOW);
}

const ALL: readonly MessagePlace[] = ['waiting', 'in_flight', 'retry', 'dead'];

test('what is not given restricts nothing', () => {
  expect(parsed(ALL)).toEqual({});
});

test('every flag says something of which messages are meant', () => {
  const words = [
    '--client',
    'c',
    '--domain',
    'd',
    '--id',
    'a',
    'b',
    '--id-prefix',
    'p',
    '--text',
    't',
    '--answer',
    'n',
  ];
  const times = ['--older-than', '90s', '--newer-than', '2h', '--since', '2026-01-15T10:30+01:00', '--until', '1m'];
  const rest = ['--in', 'waiting', 'retry', '--reason', 'http_503', '--due-within', '10s'];
  expect(parsed(ALL, ...words, ...times, ...rest)).toEqual({
    places: ['waiting', 'retry'],
    reason: 'http_503',
    client: 'c',
    domain: 'd',
    ids: ['a', 'b'],
    idPrefix: 'p',
    text: 't',
    answer: 'n',
    olderThanMs: 90_000,
    newerThanMs: 7_200_000,
    sinceMs: Date.parse('2026-01-15T09:30Z'),
    untilMs: NOW - 60_000,
    dueWithinMs: 10_000,
  });
});

test('a command has the flags and the reasons of where it looks', () => {
  expect(() => parsed(['dead'], '--in', 'dead')).toThrow(/unknown option/);
  expect(() => parsed(['dead'], '--due-within', '1s')).toThrow(/unknown option/);
  expect(() => parsed(['dead'], '--reason', '503x')).toThrow(/Allowed choices/);
  expect(() => parsed(['retry'], '--reason', 'poison')).toThrow(/Allowed choices/);
  expect(() => parsed(['retry', 'waiting'], '--in', 'dead')).toThrow(/Allowed choices/);
  expect(parsed(['dead'], '--reason', 'poison')).toEqual({ reason: 'poison' });
  expect(parsed(['dead'], '--reason', 'http_503')).toEqual({ reason: 'http_503' });
  expect(parsed(['retry'], '--reason', '404')).toEqual({ reason: 'http_404' });
  expect(() => parsed(['retry'], '--reason', '400')).toThrow(/Allowed choices/); // 4xx has others, too
});

test.each([
  [['--older-than', 'soon'], '--older-than is "soon"; it must be a time such as 90s, 15m, 2h or 7d.'],
  [['--since', '2026-01-15T10:30'], '--since is "2026-01-15T10:30"; it must be a time with its zone'],
  [['--until', 'noon'], 'or how long ago, such as 2h.'],
  [['--id-prefix', ''], '--id-prefix is empty; give a text, or leave it away.'],
  [['--text', ''], '--text is empty'],
  [['--id', 'a', ''], '--id is empty'],
  [['--older-than', '2h', '--newer-than', '1h'], 'The times exclude each other'],
  [['--since', '1h', '--until', '2h'], 'The times exclude each other'],
])('%j is refused with what would be right', (flags, sentence) => {
  expect(() => parsed(['dead'], ...flags)).toThrow(sentence);
});

test('a due time is one of retries alone', () => {
  expect(() => parsed(ALL, '--in', 'waiting', 'dead', '--due-within', '10s')).toThrow(/^Only retries are due/);
  expect(parsed(ALL, '--due-within', '10s')).toEqual({ dueWithinMs: 10_000 });
});
