import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexLine, indexWord, readIndexLine, UNREADABLE } from '../../../../../src/domain/dead-letters/index-line.js';
import { deadLetter, readDeadLetter } from '../../../../../src/domain/dead-letters/dead-letter.js';

const letterOf = (raw: Buffer | string, error = '') =>
  readDeadLetter(
    deadLetter({
      raw: Buffer.from(raw),
      reason: 'poison',
      error,
      attemptCount: 0,
      workerId: 'worker-1',
      deadAt: 0,
    }),
  );

const wellFormed = (text: string): string => text.replace(/\p{Cs}/gu, '\ufffd');

describe('the line in the index', () => {
  it('is unique, reason, id, client and domain', () => {
    const raw = '{"message_id":"a b","client_id":"c/1","domain":"ä.org","metadata":{"client_id":"other","domain":"x"}}';
    expect(indexLine('u-1', letterOf(raw))).toBe('u-1 poison a%20b c%2F1 %C3%A4.org');
  });

  it('gives back any id, client and domain, in five words without white space or control characters', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), fc.string({ maxLength: 60 }));
    fc.assert(
      fc.property(text, text, text, (id, client, domain) => {
        const line = indexLine('u', letterOf(JSON.stringify({ domain, message_id: id, x: [{}], client_id: client })));
        expect(line).toMatch(/^[!-~]+ [!-~]+ [!-~]* [!-~]* [!-~]*$/);
        const read = readIndexLine(line);
        expect(read).toMatchObject({ unique: 'u', reason: 'poison' });
        expect(read.client ?? '').toBe(wellFormed(client));
        expect(read.domain ?? '').toBe(wellFormed(domain));
        if (read.messageId !== undefined) expect(read.messageId).toBe(id);
      }),
    );
  });

  it('never throws, whatever was buried', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(indexLine('u', letterOf(Buffer.from(bytes))).split(' ')).toHaveLength(5);
      }),
    );
  });

  it.each([
    ['broken behind the names', '{"message_id":"a","client_id":"c","domain":"d","x":nonsense', 'u poison a c d'],
    ['cut', '{"message_id":"a","client_id":"c","doma', 'u poison a c '],
    ['with Python numbers', '{"x":NaN,"message_id":"a"}', 'u poison a  '],
    ['with an id that is none', '{"message_id":"..","client_id":7,"domain":null}', 'u poison   '],
    ['with duplicates: the last', '{"domain":"a","domain":"b"}', 'u poison   b'],
    ['an array', '[{"message_id":"a"}]', 'u poison   '],
    ['no JSON', 'message_id', 'u poison   '],
  ])('of a message %s', (_, raw, line) => expect(indexLine('u', letterOf(raw))).toBe(line));

  it('of what is no envelope says so', () => {
    expect(readIndexLine(indexLine('u', undefined))).toEqual({
      unique: 'u',
      reason: UNREADABLE,
      messageId: undefined,
      client: undefined,
      domain: undefined,
    });
  });

  it('cuts long words as a filter does', () => {
    const long = '😀'.repeat(400);
    expect(indexLine('u', letterOf(JSON.stringify({ client_id: long })))).toBe(`u poison  ${indexWord(long)} `);
    expect(readIndexLine(`u r i ${indexWord(long)} d`).client).toBe('😀'.repeat(255));
  });

  it('is read whatever stands in it', () => {
    expect(readIndexLine('')).toMatchObject({ unique: '', reason: '' });
    expect(readIndexLine('u %zz %')).toMatchObject({ unique: 'u', reason: '%zz', messageId: '%' });
  });
});
