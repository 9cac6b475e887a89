import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../../../src/domain/message.js';

const bytes = (text: string) => Buffer.from(text, 'utf8');
const problemOf = (raw: Buffer) => {
  const parsed = parseMessage(raw);
  return parsed.ok ? 'none' : parsed.problem;
};
const messageOf = (text: string) => {
  const parsed = parseMessage(bytes(text));
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.message;
};

describe('a well-formed message', () => {
  it('gives the four fields', () => {
    const text =
      '{"message_id":"a-1","attempt_count":3,"queued_at":"2025-01-15T10:30:45.123456Z","client_id":"c","x":[1]}';
    const queuedAtMs = Date.UTC(2025, 0, 15, 10, 30, 45, 123);
    expect(messageOf(text)).toEqual({ id: 'a-1', attemptCount: 3, queuedAtMs, clientId: 'c' });
  });

  it('needs only a message_id', () => {
    expect(messageOf(' {"message_id":"a"}\n')).toEqual({
      id: 'a',
      attemptCount: 0,
      queuedAtMs: undefined,
      clientId: '',
    });
  });

  it('reads the last of duplicate keys', () => {
    expect(messageOf('{"message_id":"a","attempt_count":1,"message_id":"b","attempt_count":2}')).toMatchObject({
      id: 'b',
      attemptCount: 2,
    });
  });
});

describe('a malformed message', () => {
  it.each([
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'The message is not valid UTF-8.'],
    ['a surrogate encoded in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'The message is not valid UTF-8.'],
    ['nothing', bytes(''), 'The message is not valid JSON.'],
    ['text', bytes('hello'), 'The message is not valid JSON.'],
    ['a cut object', bytes('{"message_id":"a"'), 'The message is not valid JSON.'],
    ['a byte order mark', bytes('\ufeff{"message_id":"a"}'), 'The message is not valid JSON.'],
    ['null', bytes('null'), 'The message is not a JSON object.'],
    ['an array', bytes('[{"message_id":"a"}]'), 'The message is not a JSON object.'],
    ['a string', bytes('"a"'), 'The message is not a JSON object.'],
    ['a number', bytes('7'), 'The message is not a JSON object.'],
    ['NaN alone', bytes('NaN'), 'The message is not a JSON object.'],
    ['no id', bytes('{}'), 'The message has no message_id.'],
    ['a nested id', bytes('{"metadata":{"message_id":"a"}}'), 'The message has no message_id.'],
    ['an inherited id', bytes('{"__proto__":{"message_id":"a"}}'), 'The message has no message_id.'],
    ['an id that is null', bytes('{"message_id":null}'), 'The message_id is not a string.'],
    ['an id that is a number', bytes('{"message_id":7}'), 'The message_id is not a string.'],
    ['an id that is NaN', bytes('{"message_id":NaN}'), 'The message_id is not a string.'],
  ])('%s', (_name, raw, problem) => {
    expect(problemOf(raw)).toBe(problem);
  });
});

describe('message_id', () => {
  it.each(['a', '0', '../a', 'a/b', 'é', '...', ' ', 'x'.repeat(255), '😀'.repeat(255), '%2e%2e'])(
    '%j is usable',
    (id) => {
      expect(messageOf(JSON.stringify({ message_id: id })).id).toBe(id);
    },
  );

  it.each([
    '',
    '.',
    '..',
    'x'.repeat(256),
    '😀'.repeat(256),
    'a\r\nb',
    'a\n',
    'a\0',
    'a\x7f',
    'a\x85',
    'a\u2028',
    'a\u2029',
    '\ud800',
    'a\udc00b',
  ])('%j is not', (id) => {
    expect(problemOf(bytes(JSON.stringify({ message_id: id })))).toMatch(/^The message_id is/);
  });

  it('can always be one segment of a URL path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 0, maxLength: 300 }), (id) => {
        const parsed = parseMessage(bytes(JSON.stringify({ message_id: id })));
        if (!parsed.ok) return;
        const path = new URL(`http://h/m/${encodeURIComponent(parsed.message.id)}/status`).pathname;
        expect(path.split('/')).toHaveLength(4);
        expect(decodeURIComponent(path.split('/')[2] ?? '')).toBe(id);
      }),
    );
  });
});

describe('attempt_count', () => {
  it.each([
    ['0', 0],
    ['7', 7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740992', 0],
    ['9223372036854775808', 0],
    ['2.9', 2],
    ['1e2', 100],
    ['-0', 0],
    ['-1', 0],
    ['-0.5', 0],
    ['1e308', 0],
    ['1e999', 0],
    ['NaN', 0],
    ['Infinity', 0],
    ['-Infinity', 0],
    ['null', 0],
    ['true', 0],
    ['"7"', 7],
    ['"007"', 7],
    ['""', 0],
    ['"-1"', 0],
    ['"7 "', 0],
    ['"0x7"', 0],
    ['"99999999999999999999"', 0],
    ['[7]', 0],
    ['{"valueOf":7}', 0],
  ])('%s counts as %d', (value, attemptCount) => {
    expect(messageOf(`{"message_id":"a","attempt_count":${value}}`).attemptCount).toBe(attemptCount);
  });
});

describe('queued_at', () => {
  const noon = Date.UTC(2025, 0, 15, 12, 0, 0);
  it.each([
    ['2025-01-15T12:00:00Z', noon],
    ['2025-01-15T12:00:00', noon],
    ['2025-01-15 12:00:00', noon],
    ['2025-01-15t12:00:00z', noon],
    ['2025-01-15T12:00:00.5Z', noon + 500],
    ['2025-01-15T12:00:00,25', noon + 250],
    ['2025-01-15T12:00:00.123456', noon + 123],
    [`2025-01-15T12:00:00.${'9'.repeat(40)}Z`, noon + 999],
    ['2025-01-15T13:30:00+01:30', noon],
    ['2025-01-15T13:30:00+0130', noon],
    ['2025-01-15T00:00:00.001-12:00', noon + 1],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['1969-12-31T23:59:59Z', -1000],
    ['9999-12-31T23:59:59Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
  ])('%s', (text, queuedAtMs) => {
    expect(messageOf(JSON.stringify({ message_id: 'a', queued_at: text })).queuedAtMs).toBe(queuedAtMs);
  });

  it.each([
    '',
    'yesterday',
    '2025-01-15',
    '2025-02-29T00:00:00Z',
    '2025-13-01T00:00:00Z',
    '2025-00-01T00:00:00Z',
    '2025-01-00T00:00:00Z',
    '2025-01-15T24:00:00Z',
    '2025-01-15T12:60:00Z',
    '2025-01-15T12:00:61Z',
    '2025-01-15T12:00:00+24:00',
    '2025-01-15T12:00:00+01:60',
    '2025-01-15T12:00:00.Z',
    '2025-01-15T12:00:00Z\n',
    '0099-01-15T12:00:00Z',
    1736942400,
    null,
    {},
  ])('%j is unreadable', (value) => {
    expect(messageOf(JSON.stringify({ message_id: 'a', queued_at: value })).queuedAtMs).toBeUndefined();
  });

  it('agrees with Date for every time that Date can write', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(Date.UTC(100, 0)), max: new Date(Date.UTC(9999, 11)), noInvalidDate: true }),
        (date) => {
          const text = JSON.stringify({ message_id: 'a', queued_at: date.toISOString() });
          expect(messageOf(text).queuedAtMs).toBe(date.getTime());
        },
      ),
    );
  });
});

describe("Python's NaN and Infinity", () => {
  it.each([
    '{"message_id":"a","q":NaN}',
    '{"message_id":"a","q":[-Infinity , Infinity,NaN]}',
    '{"q":NaN,"message_id":"a"}',
    '{"q":NaN,"r":"\\"NaN\\\\","message_id":"a"}',
    '{"é":NaN,"r":"é Infinity","message_id":"a"}',
  ])('%s is a message', (text) => {
    expect(messageOf(text).id).toBe('a');
  });

  it('does not touch the same words inside strings', () => {
    expect(messageOf('{"q":NaN,"message_id":"é NaN -Infinity"}').id).toBe('é NaN -Infinity');
  });

  it.each([
    '{"message_id":"a","q":-NaN}',
    '{"message_id":"a","q":1NaN}',
    '{"message_id":"a","q":NaN1}',
    '{"message_id":"a",NaN:1}',
  ])('%s is none', (text) => {
    expect(problemOf(bytes(text))).toBe('The message is not valid JSON.');
  });
});

describe('hostile input', () => {
  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => void parseMessage(Buffer.from(raw))),
      { numRuns: 2000 },
    );
  });

  it('never throws on scraps of JSON', () => {
    const scrap = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ',',
      ':',
      'NaN',
      '-Infinity',
      '"message_id"',
      'null',
      '1',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(scrap, { maxLength: 30 }), (scraps) => void parseMessage(bytes(scraps.join('')))),
      { numRuns: 2000 },
    );
  });

  it('takes 20,000 nested arrays, with and without NaN', () => {
    for (const core of ['', 'NaN']) {
      expect(messageOf(`{"x":${'['.repeat(20_000)}${core}${']'.repeat(20_000)},"message_id":"a"}`).id).toBe('a');
    }
  });

  it('takes 50 MB of escapes, with and without NaN', () => {
    const escapes = '\\n'.repeat(25_000_000);
    for (const value of ['1', 'NaN']) {
      expect(messageOf(`{"x":"${escapes}","y":${value},"message_id":"a"}`).id).toBe('a');
    }
  });

  it('calls 50 MB of an unclosed string malformed', () => {
    expect(problemOf(bytes(`{"message_id":"a","x":NaN,"y":"${'\\n'.repeat(25_000_000)}`))).toBe(
      'The message is not valid JSON.',
    );
  });
});
