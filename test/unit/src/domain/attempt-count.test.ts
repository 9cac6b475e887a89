import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scannedAttemptCount } from '../../../../src/domain/attempt-count.js';
import { parseMessage, withAttemptCount } from '../../../../src/domain/message.js';

const spliced = (text: string, attemptCount: number) => withAttemptCount(Buffer.from(text), attemptCount).toString();

describe('withAttemptCount', () => {
  it.each([
    ['a number', '{"attempt_count":0,"x":1}', '{"attempt_count":42,"x":1}'],
    ['the last member', '{"x":1,"attempt_count":999}', '{"x":1,"attempt_count":42}'],
    [
      'white space around it',
      '{ "attempt_count" :\r\n\t7 \n, "x" : 1 }\n',
      '{ "attempt_count" :\r\n\t42 \n, "x" : 1 }\n',
    ],
    ['white space before the brace', '{"attempt_count": 7 }', '{"attempt_count": 42 }'],
    ['null', '{"attempt_count":null}', '{"attempt_count":42}'],
    ['a string', '{"attempt_count":"7, }"}', '{"attempt_count":42}'],
    ['an object', '{"attempt_count":{"attempt_count":[1,{}]},"x":1}', '{"attempt_count":42,"x":1}'],
    ['an array', '{"attempt_count":[1,"]",[2]] }', '{"attempt_count":42 }'],
    ['a number with exponent', '{"attempt_count":-1.5E+3}', '{"attempt_count":42}'],
    ['-Infinity', '{"x":NaN,"attempt_count":-Infinity,"y":Infinity}', '{"x":NaN,"attempt_count":42,"y":Infinity}'],
    [
      'the last of duplicates',
      '{"attempt_count":1,"x":2,"attempt_count":3}',
      '{"attempt_count":1,"x":2,"attempt_count":42}',
    ],
    ['an escaped key', '{"attempt\\u005fcount":1}', '{"attempt\\u005fcount":42}'],
    [
      'an escaped duplicate',
      '{"attempt_count":1,"\\u0061ttempt_count":2}',
      '{"attempt_count":1,"\\u0061ttempt_count":42}',
    ],
    ['not a nested one', '{"m":{"attempt_count":1},"attempt_count":2}', '{"m":{"attempt_count":1},"attempt_count":42}'],
    ['not a value of that name', '{"x":"attempt_count","attempt_count":2}', '{"x":"attempt_count","attempt_count":42}'],
    [
      'not the like in a string',
      '{"x":"\\",\\"attempt_count\\":1"}',
      '{"x":"\\",\\"attempt_count\\":1","attempt_count":42}',
    ],
    ['text outside ASCII', '{"é":"😀","attempt_count":7,"ü":"ß"}', '{"é":"😀","attempt_count":42,"ü":"ß"}'],
    ['64-bit integers', '{"n":9223372036854775807,"attempt_count":7}', '{"n":9223372036854775807,"attempt_count":42}'],
    ['a backslash at the end of a string', '{"x":"\\\\","attempt_count":7}', '{"x":"\\\\","attempt_count":42}'],
    ['none', '{"message_id":"a"}', '{"message_id":"a","attempt_count":42}'],
    ['none, white space at the end', ' {"x":[1] \n} \n', ' {"x":[1],"attempt_count":42 \n} \n'],
    ['only a nested one', '{"m":{"attempt_count":1}}', '{"m":{"attempt_count":1},"attempt_count":42}'],
  ])('%s', (_name, before, after) => {
    expect(spliced(before, 42)).toBe(after);
  });

  it('refuses what is no message', () => {
    expect(() => spliced('[]', 1)).toThrow(TypeError);
  });

  it('takes 20,000 nested arrays', () => {
    const text = `{"x":${'['.repeat(20_000)}${']'.repeat(20_000)},"attempt_count":1}`;
    expect(spliced(text, 2)).toBe(text.replace(/1}$/, '2}'));
  });

  it.each([
    ['escapes', `{"x":"${'\\"'.repeat(25_000_000)}","attempt_count":1}`],
    ['white space', `{"x":1,${' '.repeat(50_000_000)}"attempt_count":1}`],
  ])('takes 50 MB of %s', (_name, text) => {
    const after = withAttemptCount(Buffer.from(text), 23);
    expect(after.length).toBe(text.length + 1);
    expect(after.subarray(-19).toString()).toBe('"attempt_count":23}');
  });
});

/** JSON text put together piece by piece, so that it holds what JSON.stringify never writes. */
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 3 });
const stringLiteral = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }).map((s) => JSON.stringify(s).slice(1, -1)),
      fc.constantFrom('\\u0041', '\\/', '\\"', '\\\\', '\\ud800', '}', '],'),
    ),
    { maxLength: 4 },
  )
  .map((parts) => `"${parts.join('')}"`);
const scalar = fc.oneof(
  stringLiteral,
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => JSON.stringify(n)),
  fc.constantFrom('true', 'false', 'null', 'NaN', 'Infinity', '-Infinity', '1E+2', '-0.0'),
);
const { value } = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, scalar, tie('array'), tie('object')),
  array: fc
    .array(fc.tuple(space, tie('value'), space), { maxLength: 3 })
    .map((items) => `[${items.map((i) => i.join('')).join(',')}]`),
  object: objectOf(tie('value'), 0),
}));
const attemptKey = fc.constantFrom('"attempt_count"', '"attempt\\u005fcount"', '"\\u0061ttempt_count"');
const message = fc
  .tuple(space, objectOf(value, 1), space)
  .map((parts) => parts.join(''))
  .map((text) => text.replace('{', '{"message_id":"a",'));

function objectOf(values: fc.Arbitrary<string>, minLength: number): fc.Arbitrary<string> {
  const key = fc.oneof(
    stringLiteral,
    fc.constantFrom('"attempt_count"', '"attempt\\u005fcount"', '"\\u0061ttempt_count"', '"__proto__"'),
  );
  return fc
    .array(fc.tuple(space, key, space, fc.constant(':'), space, values, space), { minLength, maxLength: 5 })
    .map((members) => `{${members.map((m) => m.join('')).join(',')}}`);
}

describe('for any message', () => {
  it('reads back the new count and changes nothing outside one place', () => {
    fc.assert(
      fc.property(message, fc.nat(), (text, attemptCount) => {
        const raw = Buffer.from(text);
        // A random message_id among the members may make it malformed: such a message is never retried.
        fc.pre(parseMessage(raw).ok);
        const after = withAttemptCount(raw, attemptCount);
        expect(parseMessage(after)).toMatchObject({ ok: true, message: { id: 'a', attemptCount } });
        expect(fieldsBesideAttemptCount(after)).toEqual(fieldsBesideAttemptCount(raw));
      }),
      { numRuns: 1500 },
    );
  });

  it('keeps every byte around the value, wherever that stands', () => {
    const before = fc.tuple(space, objectOf(value, 1)).map(([s, object]) => `${s}${object.slice(0, -1)},`);
    const after = fc.array(fc.tuple(space, stringLiteral, space, fc.constant(':'), value), { maxLength: 3 });
    fc.assert(
      fc.property(before, attemptKey, space, value, space, after, fc.nat(), (head, key, s1, old, s2, members, n) => {
        const tail = `${s2}${members.map((m) => `,${m.join('')}`).join('')}}`;
        const lead = `${head}${key}:${s1}`;
        expect(spliced(`${lead}${old}${tail}`, n)).toBe(`${lead}${n}${tail}`);
      }),
      { numRuns: 1500 },
    );
  });

  it('is undone by the old value', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(), (text, first, second) => {
        const once = withAttemptCount(Buffer.from(text), first);
        expect(withAttemptCount(withAttemptCount(once, second), first).equals(once)).toBe(true);
      }),
    );
  });
});

describe('scannedAttemptCount', () => {
  it.each([
    ['{"attempt_count":7}', 7],
    ['{"x":{"attempt_count":5},"attempt_count": 12 }', 12],
    ['{"attempt_count":1,"attempt_count":2}', 2],
    ['{"attempt_count":"7"}', 0],
    ['{"attempt_count":-1}', 0],
    ['{"attempt_count":1e308}', 0],
    ['{"message_id":"a"}', 0],
    ['{"\\q":1}', 0],
    ['not JSON', 0],
    ['', 0],
  ])('%s', (text, count) => {
    expect(scannedAttemptCount(Buffer.from(text))).toBe(count);
  });
});

function fieldsBesideAttemptCount(raw: Buffer): unknown {
  const text = raw
    .toString()
    .replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (token) => (token.startsWith('"') ? token : 'null'));
  const fields = JSON.parse(text) as Record<string, unknown>;
  return { ...fields, attempt_count: 'apart' };
}
