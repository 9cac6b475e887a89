import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withoutPythonNumbers } from '../../../../src/domain/python-json.js';

/** What Python's module reads: each of its numbers, outside strings, is a value, and JSON.parse knows where one may be. */
function oracle(text: string): unknown {
  const value = { n: 0 };
  const marked = text.replace(/"(?:[^"\\]|\\[^])*"?|-?Infinity|NaN/g, (found) =>
    found.startsWith('"') ? found : '{"n":0}',
  );
  return JSON.parse(marked, (_, read: unknown) => (JSON.stringify(read) === JSON.stringify(value) ? 0 : read));
}

function outcome(parse: () => unknown): unknown {
  try {
    return parse();
  } catch {
    return 'not JSON';
  }
}

test('reads what Python reads, and refuses what it refuses', () => {
  const scrap = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"\\""',
    'NaN',
    '-',
    'Infinity',
    '1',
    ' ',
    '\n',
    'N',
    'null',
  );
  fc.assert(
    fc.property(fc.array(scrap, { maxLength: 12 }), (scraps) => {
      const text = scraps.join('');
      const read = outcome(() => {
        const json = withoutPythonNumbers(Buffer.from(text));
        if (!json) throw new SyntaxError();
        return JSON.parse(json.toString());
      });
      expect(read).toEqual(outcome(() => oracle(text)));
    }),
    { numRuns: 20_000 },
  );
});

test('changes nothing else, not a byte', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(withoutPythonNumbers(Buffer.from(text))?.toString()).toBe(text);
    }),
  );
});
