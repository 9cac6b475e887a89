import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deadLetter, readDeadLetter } from '../../../../../src/domain/dead-letters/dead-letter.js';
import { searchOf } from '../../../../../src/domain/filter/text-search.js';

const stored = (raw: string, error = '') =>
  deadLetter({ raw: Buffer.from(raw), reason: 'poison', error, attemptCount: 0, workerId: '', deadAt: 0 });

/** As a burial puts them into an envelope. */
const withAnswers = (letter: Buffer, ...answers: string[]) =>
  Buffer.from(`{"failures":${JSON.stringify(answers.map((answer) => ({ answer })))},${String(letter).slice(1)}`);

const isIn = (filter: { text?: string; answer?: string; reason?: string }, letter: Buffer): boolean | undefined =>
  searchOf(filter)?.isIn(letter, () => readDeadLetter(letter));

it('reads nothing without a text', () => {
  expect(searchOf({ reason: 'poison', ids: ['a'] })).toBeUndefined();
});

describe('a text', () => {
  it('is found wherever it stands in the message or the error', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), fc.string(), (before, text, after) => {
        expect(isIn({ text }, stored(before + text + after))).toBe(true);
        expect(isIn({ text }, stored('', before + text + after))).toBe(true);
      }),
    );
  });

  it('is not found in what is of the envelope alone, nor in other letters', () => {
    expect(isIn({ text: 'worker_id' }, stored('{}'))).toBe(false);
    expect(isIn({ text: 'Hello' }, stored('hello'))).toBe(false);
    expect(isIn({ text: 'no such number' }, withAnswers(stored('{}'), 'no such number'))).toBe(false);
  });

  it('costs no reading where its bytes are not', () => {
    const read = (): never => {
      throw new Error('read');
    };
    expect(searchOf({ text: 'x' })?.isIn(Buffer.from('abc'), read)).toBe(false);
  });
});

describe('an answer', () => {
  it('is that of the last failure', () => {
    const letter = withAnswers(stored('{"say":"first"}'), 'first "quoted"', 'last "quoted" ä');
    expect(isIn({ answer: '"quoted" ä' }, letter)).toBe(true);
    expect(isIn({ answer: 'first' }, letter)).toBe(false);
  });

  it('is in no letter that tells of none', () => {
    expect(isIn({ answer: 'x' }, stored('{"answer":"x"}'))).toBe(false);
    expect(isIn({ answer: 'x' }, Buffer.from('{"failures":[{"answer":7},"x"]}'))).toBe(false);
    expect(isIn({ answer: 'x' }, Buffer.from('x'))).toBe(false);
  });

  it('has a reason, that of the last failure, which is looked for in the letter', () => {
    const failures = [{ reason: 'timeout' }, { reason: 'http_404', status: 404, answer: 'no such number' }];
    const letter = Buffer.from(
      `{"failures":${JSON.stringify(failures)},${String(stored('{"say":"http_503"}')).slice(1)}`,
    );
    expect(isIn({ reason: 'http_404' }, letter)).toBe(true);
    expect(isIn({ reason: 'timeout' }, letter)).toBe(false);
    expect(isIn({ reason: 'http_503' }, letter)).toBe(false);
    expect(isIn({ reason: 'http_404', answer: 'no such' }, letter)).toBe(true);
    expect(isIn({ reason: 'http_404', answer: 'timeout' }, letter)).toBe(false);
  });

  it('and a text are both wanted', () => {
    const letter = withAnswers(stored('{"to":"+49"}'), 'no such number');
    expect(isIn({ text: '+49', answer: 'no such' }, letter)).toBe(true);
    expect(isIn({ text: '+48', answer: 'no such' }, letter)).toBe(false);
    expect(isIn({ text: '+49', answer: 'timeout' }, letter)).toBe(false);
  });
});
