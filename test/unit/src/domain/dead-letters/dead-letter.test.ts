import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEAD_LETTER_REASONS } from '../../../../../src/domain/dead-letters/reasons.js';
import { deadLetter, earlierEnvelope, readDeadLetter } from '../../../../../src/domain/dead-letters/dead-letter.js';

const letter = {
  raw: Buffer.from('{"message_id":"a"}'),
  reason: 'max_attempts_exceeded',
  error: 'HTTP 503',
  attemptCount: 10_000,
  workerId: 'worker-1',
  deadAt: Date.UTC(2025, 0, 15, 10, 30, 45, 7),
} as const;

describe('deadLetter', () => {
  it('has these keys in this order', () => {
    expect(deadLetter(letter).toString()).toBe(
      '{"dead_at":"2025-01-15T10:30:45.007Z","reason":"max_attempts_exceeded","error":"HTTP 503",' +
        '"attempt_count":10000,"worker_id":"worker-1","message":"{\\"message_id\\":\\"a\\"}"}',
    );
  });

  it('takes a Date as well', () => {
    expect(deadLetter({ ...letter, deadAt: new Date(letter.deadAt) })).toEqual(deadLetter(letter));
  });

  it('carries bytes that are not UTF-8 in base64', () => {
    const envelope = JSON.parse(deadLetter({ ...letter, raw: Buffer.from([0xff, 0x00]) }).toString()) as object;
    expect(envelope).toMatchObject({ message_base64: '/wA=' });
    expect(envelope).not.toHaveProperty('message');
  });
});

describe('readDeadLetter', () => {
  it('gives back what was put in', () => {
    expect(readDeadLetter(deadLetter(letter))).toEqual({
      ...letter,
      rawBytes: letter.raw.length,
      isLarge: false,
      deadAt: '2025-01-15T10:30:45.007Z',
      failures: [],
    });
  });

  it('gives back any bytes', () => {
    const raw = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.constant(Buffer.from('\ufeff{"message_id":"byte order mark"}')),
    );
    fc.assert(
      fc.property(raw, fc.constantFrom(...DEAD_LETTER_REASONS), fc.string(), (bytes, reason, error) => {
        const text = deadLetter({ ...letter, raw: bytes, reason, error });
        for (const stored of [text, text.toString()]) {
          const read = readDeadLetter(stored);
          expect(read?.raw.equals(bytes)).toBe(true);
          expect(read).toMatchObject({ reason, error });
        }
      }),
      { numRuns: 1000 },
    );
  });

  /** What cjson.encode makes of a string: bytes of 0x80 and above as they are. */
  function cjsonString(bytes: Buffer): Buffer {
    const escaped = JSON.stringify(bytes.toString('latin1')).replaceAll('/', '\\/').replaceAll('\x7f', '\\u007f');
    return Buffer.from(escaped, 'latin1');
  }

  it('gives back any bytes from an envelope built in Lua', () => {
    const workerId = Buffer.from('wörker-1');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const head =
          '{"dead_at":"2025-01-15T10:30:45.007Z","reason":"poison","error":"e","attempt_count":3,"worker_id":';
        const stored = [
          Buffer.from(head),
          cjsonString(workerId),
          Buffer.from(',"message":'),
          cjsonString(Buffer.from(bytes)),
        ];
        const read = readDeadLetter(Buffer.concat([...stored, Buffer.from('}')]));
        expect(read?.raw.equals(Buffer.from(bytes))).toBe(true);
        expect(read).toMatchObject({ reason: 'poison', attemptCount: 3, workerId: 'wörker-1' });
      }),
    );
  });

  it('leaves empty what is missing', () => {
    const empty = {
      raw: Buffer.from('x'),
      rawBytes: 1,
      isLarge: false,
      reason: '',
      error: '',
      attemptCount: 0,
      workerId: '',
      deadAt: '',
      failures: [],
    };
    expect(readDeadLetter('{"message":"x"}')).toEqual(empty);
    expect(readDeadLetter('{"message":"x","reason":1,"attempt_count":"2","error":null}')).toEqual(empty);
  });

  it.each(['', 'x', 'null', '7', '[]', '{}', '{"message":7}', '{"message_id":"a"}'])('%j is no envelope', (text) => {
    expect(readDeadLetter(text)).toBeUndefined();
  });

  describe('of a large message', () => {
    const large = {
      ...letter,
      raw: Buffer.concat([Buffer.from('{"message_id":"a"}\n\xff', 'latin1'), Buffer.alloc(1_048_576, '"')]),
    };

    it('has the bytes as they are behind a line of JSON', () => {
      const stored = deadLetter(large);
      const end = stored.indexOf('\n');
      expect(JSON.parse(stored.toString('utf8', 0, end))).toMatchObject({ message_bytes: large.raw.length });
      expect(stored.subarray(end + 1).equals(large.raw)).toBe(true);
    });

    it('is read whole, and from its beginning', () => {
      const stored = deadLetter(large);
      const expected = { reason: letter.reason, error: letter.error, attemptCount: 10_000, rawBytes: large.raw.length };
      expect(readDeadLetter(stored)).toMatchObject(expected);
      const read = readDeadLetter(stored);
      expect(read?.raw.equals(large.raw)).toBe(true);
      // as version 1.0 wrote it
      const earlier = JSON.parse((read ? earlierEnvelope(read) : '').toString()) as { message_base64: string };
      expect(Buffer.from(earlier.message_base64, 'base64').equals(large.raw)).toBe(true);
      const beginning = readDeadLetter(stored.subarray(0, 1_000), stored.length);
      expect(beginning).toMatchObject(expected);
      expect(large.raw.subarray(0, beginning?.raw.length).equals(beginning?.raw ?? Buffer.of())).toBe(true);
      expect(beginning?.raw.length).toBeGreaterThan(500);
    });

    it('is no envelope when the number of bytes does not fit', () => {
      expect(readDeadLetter('{"message_bytes":3}\nabcd')).toBeUndefined();
    });
  });

  it('reads what there is of an envelope of an earlier version that is cut anywhere', () => {
    const raw = Buffer.from(`{"message_id":"a","text":"${'é😀\\"'.repeat(40)}"}`);
    const stored = deadLetter({ ...letter, raw });
    const begin = stored.indexOf('"message":') + '"message":"'.length;
    for (let bytes = begin; bytes < stored.length; bytes += 1) {
      const read = readDeadLetter(stored.subarray(0, bytes), stored.length);
      expect(read).toMatchObject({
        reason: letter.reason,
        error: letter.error,
        attemptCount: 10_000,
        rawBytes: undefined,
      });
      const text = (read?.raw.toString() ?? '').replace(/[\ufffd\ud800-\udfff]+$/, '');
      expect(raw.toString().startsWith(text)).toBe(true);
    }
  });
});
