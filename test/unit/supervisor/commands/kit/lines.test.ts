import { expect, test } from 'vitest';

import { linesIn } from '../../../../../supervisor/commands/kit/lines.js';

async function linesOf(chunks: readonly (Buffer | string)[], longest?: number): Promise<(readonly [number, string])[]> {
  const lines: (readonly [number, string])[] = [];
  for await (const { number, bytes } of linesIn(from(chunks), longest)) lines.push([number, bytes.toString('latin1')]);
  return lines;
}

async function* from<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

test.each<[string, (Buffer | string)[], [number, string][]]>([
  ['nothing', [], []],
  [
    'no end at the last',
    ['a\nb'],
    [
      [1, 'a'],
      [2, 'b'],
    ],
  ],
  [
    'ends of Windows, empty and blank lines, which count',
    ['a\r\n\r\n \t\nb\n'],
    [
      [1, 'a'],
      [4, 'b'],
    ],
  ],
  [
    'a line over chunks, cut inside its end',
    ['a', 'b', 'c\r', '\nd'],
    [
      [1, 'abc'],
      [2, 'd'],
    ],
  ],
  [
    'a mark of byte order at the front, and there alone',
    [Buffer.from('\ufeffa\n\ufeffb')],
    [
      [1, 'a'],
      [2, '\xef\xbb\xbfb'],
    ],
  ],
  [
    'bytes that are no text',
    [Buffer.from([0xff, 0x00, 0x0a, 0xfe])],
    [
      [1, '\xff\x00'],
      [2, '\xfe'],
    ],
  ],
])('%s', async (_, chunks, lines) => {
  expect(await linesOf(chunks)).toEqual(lines);
});

test('a line beyond what Redis could hold ends it, by its number', async () => {
  await expect(linesOf(['a\n', '12345', '678'], 7)).rejects.toThrow('line 2 is longer than 7 bytes');
});
