import { expect, test } from 'vitest';
import {
  cut,
  cutText,
  line,
  painted,
  widthOf,
  widthOfLine,
} from '../../../../../supervisor/commands/status/drawing/line.js';
import { flowing, wrapped } from '../../../../../supervisor/commands/status/drawing/wrap.js';
import { fitted, type Column } from '../../../../../supervisor/commands/status/drawing/columns.js';

test.each([
  ['abc', 3, 3, 'abc'],
  ['abcdef', 6, 3, 'ab…'],
  ['日本語', 6, 5, '日本…'],
  ['日本語', 6, 4, '日…'],
  ['e\u0301a', 2, 2, 'e\u0301a'],
  ['🚚🚚', 4, 3, '🚚…'],
  ['abc', 3, 0, ''],
])('%j is %i wide, and in %i %j', (text, width, room, expected) => {
  expect(widthOf(text)).toBe(width);
  expect(cutText(text, room)).toBe(expected);
});

test('a line is cut across its pieces, and coloured where that is wanted', () => {
  const whole = line({ text: 'STOPPED', tone: 'bad' }, '  Redis');
  expect(painted(whole, false)).toBe('STOPPED  Redis');
  expect(painted(cut(whole, 11), true)).toBe('\x1b[1;31mSTOPPED\x1b[0m  R…');
  expect(widthOfLine(cut(whole, 7))).toBe(7);
});

test('sentences break between words, facts between two', () => {
  expect(wrapped('the main server cannot be reached', 15)).toEqual(['the main server', 'cannot be', 'reached']);
  expect(wrapped('the main server cannot be reached', 15, 2)).toEqual(['the main server', 'cannot be …']);
  expect(wrapped('a', Infinity)).toEqual(['a']);
  const lines = flowing([line('12 waiting'), line('3 dead'), line('arriving')], 20);
  expect(lines.map((whole) => painted(whole, false))).toEqual(['12 waiting   3 dead', 'arriving']);
});

const COLUMNS: readonly Column<readonly string[]>[] = ['A', 'B', 'C'].map((heading, at) => ({
  heading,
  rank: [0, 2, 1][at] ?? 0,
  cell: (row) => ({ text: row[at] ?? '' }),
  ...(at === 1 ? { elastic: true, left: true, least: 4 } : {}),
}));

test.each([
  [20, ['A  B           C', '1  a text  12345'.replace('a text ', 'longish')], []],
  [14, ['A  B      C', '1  lon…  12345'], []],
  [11, ['A      C', '1  12345'], ['B']],
  [3, ['A', '1'], ['B', 'C']],
])('a table in %i columns', (width, expected, missing) => {
  const { lines, leftOut } = fitted(COLUMNS, [['1', 'longish', '12345']], width);
  const words = (text: string): string => text.replace(/ +/g, ' ');
  expect(lines.map((whole) => words(painted(whole, false)))).toEqual(expected.map(words));
  expect(leftOut).toEqual(missing);
  for (const whole of lines) expect(widthOfLine(whole)).toBeLessThanOrEqual(width);
});
