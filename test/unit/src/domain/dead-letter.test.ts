import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEAD_LETTER_REASONS } from '../../../../src/domain/dead-letter-reasons.js';
import { deadLetter, readDeadLetter } from '../../../../src/domain/dead-letter.js';

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
    expect(deadLetter(letter)).toBe(
      '{"dead_at":"2025-01-15T10:30:45.007Z","reason":"max_attempts_exceeded","error":"HTTP 503",' +
        '"attempt_count":10000,"worker_id":"worker-1","message":"{\\"message_id\\":\\"a\\"}"}',
    );
  });

  it('takes a Date as well', () => {
    expect(deadLetter({ ...letter, deadAt: new Date(letter.deadAt) })).toBe(deadLetter(letter));
  });

  it('carries bytes that are not UTF-8 in base64', () => {
    const envelope = JSON.parse(deadLetter({ ...letter, raw: Buffer.from([0xff, 0x00]) })) as object;
    expect(envelope).toMatchObject({ message_base64: '/wA=' });
    expect(envelope).not.toHaveProperty('message');
  });
});

describe('readDeadLetter', () => {
  it('gives back what was put in', () => {
    expect(readDeadLetter(deadLetter(letter))).toEqual({ ...letter, deadAt: '2025-01-15T10:30:45.007Z' });
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
        for (const stored of [text, Buffer.from(text)]) {
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
    const empty = { raw: Buffer.from('x'), reason: '', error: '', attemptCount: 0, workerId: '', deadAt: '' };
    expect(readDeadLetter('{"message":"x"}')).toEqual(empty);
    expect(readDeadLetter('{"message":"x","reason":1,"attempt_count":"2","error":null}')).toEqual(empty);
  });

  it.each(['', 'x', 'null', '7', '[]', '{}', '{"message":7}', '{"message_id":"a"}'])('%j is no envelope', (text) => {
    expect(readDeadLetter(text)).toBeUndefined();
  });
});
