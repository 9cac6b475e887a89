import { describe, expect, test } from 'vitest';
import { readFailureLines, readFailureList } from '../../../../../src/domain/failures/failed-attempt.js';

describe('a failed attempt', () => {
  test('that no worker wrote is left out', () => {
    expect(readFailureLines('not JSON\n[]\nnull\n{"at":1}\n\n{"at":"t","reason":"other"}')).toEqual([
      { at: 't', reason: 'other', status: undefined, answer: undefined, workerId: '' },
    ]);
    expect(readFailureList({ at: 't' })).toEqual([]);
    expect(readFailureList([3, 'x', null])).toEqual([]);
  });
});
