import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { harmless, harmlessJson, printable } from '../../../../../src/shared/words/escape.js';

describe('printable', () => {
  it.each([
    ['plain text', 'worker-1 %/"\'', 'worker-1 %/"\''],
    ['letters of any script', 'é ß 消息 😀', 'é ß 消息 😀'],
    ['a backslash', 'C:\\x', 'C:\\x'],
    ['line ends', 'a\r\n2025-01-15 - worker - INFO', 'a\\x0d\\x0a2025-01-15 - worker - INFO'],
    ['a tab and NUL', 'a\tb\0', 'a\\x09b\\x00'],
    ['an ANSI escape', '\x1b[31mred', '\\x1b[31mred'],
    ['DEL and C1', '\x7f\x85\x9b', '\\x7f\\x85\\x9b'],
    ['line and paragraph separators', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
    ['bidirectional overrides', '\u202egnp.exe\u2066', '\\u202egnp.exe\\u2066'],
    ['zero-width characters', 'a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
    ['lone surrogates', 'a\ud800b\udc00', 'a\\ud800b\\udc00'],
    ['tag characters', '\u{e0041}', '\\udb40\\udc41'],
  ])('%s', (_name, text, shown) => {
    expect(printable(text, 100)).toBe(shown);
  });

  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc…'],
    ['ab😀', 3, 'ab…'],
    ['ab\n\n', 3, 'ab\\x0a…'],
    ['abc', 0, '…'],
  ])('%j cut to %d', (text, max, shown) => {
    expect(printable(text, max)).toBe(shown);
  });

  it('is one line without anything that a terminal obeys', () => {
    const hostile = fc
      .array(fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)))
      .map((a) => a.join(''));
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' })), fc.nat({ max: 40 }), (text, max) => {
        const shown = printable(text, max);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(shown.length).toBeLessThanOrEqual(max * 6 + 1);
        expect(printable(shown, shown.length)).toBe(shown);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('harmless', () => {
  it('leaves line breaks and tabs, and shows what a terminal would obey', () => {
    expect(harmless('a\tb\nc')).toBe('a\tb\nc');
    expect(harmless('\x1b[2Ja\r\n\x9b31m\u202eb')).toBe('\\x1b[2Ja\\x0d\n\\x9b31m\\u202eb');
  });

  it('keeps JSON what it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const document = { value, text };
        const shown = harmlessJson(JSON.stringify(document, null, 2));
        expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify(document)));
      }),
    );
  });
});
