import { expect, test } from 'vitest';

import { deadLetter, readDeadLetter } from '../../../../../src/domain/dead-letters/dead-letter.js';
import { indexLine } from '../../../../../src/domain/dead-letters/index-line.js';
import { letterLine, readLetterLine, type ReadLetter } from '../../../../../src/domain/dead-letters/letter-line.js';

const KEY = '0123456789ab-1';
const SCORE = '1736937045123.456';

function buried(raw: Buffer | string): Buffer {
  const about = { reason: 'malformed', error: 'a\u009b"b', attemptCount: 3, workerId: 'worker-1' } as const;
  return deadLetter({ ...about, raw: Buffer.from(raw), deadAt: 1_736_937_045_123 });
}

const lineOf = (stored: Buffer): Buffer => Buffer.concat([...letterLine({ unique: KEY, score: SCORE, stored })]);
const parsed = (line: Buffer) => JSON.parse(line.toString()) as Record<string, unknown>;

const BIG = 33 * 1_048_576 + 1;

test.each<[string, Buffer, string]>([
  ['a text', buried('{"message_id":"ä","n":12345678901234567890}\u2028\u009b'), 'message'],
  ['no text', buried(Buffer.from([0xff, 0x00, 0x22])), 'message_base64'],
  ['one that follows its envelope', buried('x'.repeat(1_048_577)), 'message'],
  ['one of 32 MiB and more, in pieces', buried(Buffer.alloc(BIG, 'y')), 'message_base64'],
  ['one of 32 MiB and more that is no text', buried(Buffer.alloc(BIG, 0xfe)), 'message_base64'],
  ['an envelope of others', Buffer.from('{"message":"m","extra":{"a":[1]},"dead_at":7}'), 'message'],
  ['no envelope', Buffer.from('nonsense\n'), 'stored_base64'],
  ['an envelope that is no text', Buffer.from('{"message":"\xe4"}', 'latin1'), 'stored_base64'],
  ['a large envelope of an earlier version', Buffer.from(`{"message":"${'z'.repeat(BIG)}"}`), 'stored_base64'],
  [
    'a large one with bytes that are no text',
    buried(Buffer.concat([Buffer.alloc(1_048_576, 'a'), Buffer.from([0xff])])),
    'message_base64',
  ],
])('a line brings back every byte of %s', (_, stored, name) => {
  const line = lineOf(stored);
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(line.subarray(0, 400_000).toString('utf8')).not.toMatch(/[\u0080-\u009f\u2028]/);
  const fields = parsed(line);
  expect(Object.keys(fields).slice(0, 2)).toEqual(['key', 'dead_at_ms']);
  expect(Object.keys(fields).filter((one) => /message|stored/.test(one))).toEqual([name]);
  const read = readLetterLine(line.subarray(0, -1)) as ReadLetter;
  expect(read).toMatchObject({ unique: KEY, score: SCORE, line: indexLine(KEY, readDeadLetter(stored)) });
  if (name !== 'message' || stored.includes('worker-1')) expect(read.stored.equals(stored)).toBe(true);
  else expect(JSON.parse(read.stored.toString())).toEqual(JSON.parse(stored.toString()));
});

test('the fields of the envelope stand in the line, those that come later too', () => {
  const stored = Buffer.from(`{"failures":[{"status":503}],${buried('m').toString().slice(1)}`);
  expect(parsed(lineOf(stored))).toEqual({
    key: KEY,
    dead_at_ms: 1_736_937_045_123.456,
    failures: [{ status: 503 }],
    dead_at: '2025-01-15T10:30:45.123Z',
    reason: 'malformed',
    error: 'a\u009b"b',
    attempt_count: 3,
    worker_id: 'worker-1',
    message: 'm',
  });
});

test('without the time of the index it is that of the envelope, without both it is now', () => {
  const at = (line: string) => (readLetterLine(Buffer.from(line)) as ReadLetter).score;
  expect(at(`{"key":"${KEY}","dead_at":"2025-01-15T10:30:45.123Z","message":"m"}`)).toBe('1736937045123.000');
  expect(at(`{"key":"${KEY}","message":"m"}`)).toBe('');
});

test.each([
  ['', /JSON object/],
  ['[]', /JSON object/],
  ['null', /JSON object/],
  ['{"key":"a"', /JSON object/],
  ['{"message":"m"}', /"key"/],
  ['{"key":"a b","message":"m"}', /"key"/],
  ['{"key":7,"message":"m"}', /"key"/],
  ['{"key":"a"}', /one of "message"/],
  ['{"key":"a","message":"m","message_base64":"bQ=="}', /one of "message"/],
  ['{"key":"a","message":7}', /cannot be read/],
  ['{"key":"a","message_base64":"bQ"}', /cannot be read/],
  ['{"key":"a","stored_base64":"m?=="}', /cannot be read/],
  ['{"key":"a","message":"m","dead_at_ms":"soon"}', /"dead_at_ms"/],
  ['{"key":"a","message":"m","dead_at_ms":1e300}', /"dead_at_ms"/],
])('%s is refused', (line, problem) => {
  expect(readLetterLine(Buffer.from(line))).toEqual({ problem: expect.stringMatching(problem) as string });
});

test('bytes that are no text are refused', () => {
  expect(readLetterLine(Buffer.from('{"key":"a","message":"\xe4"}', 'latin1'))).toEqual({
    problem: 'it is not a JSON object in UTF-8',
  });
});
