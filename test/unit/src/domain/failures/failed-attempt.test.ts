import { describe, expect, test } from 'vitest';
import { failureLine, readFailureLines, readFailureList } from '../../../../../src/domain/failures/failed-attempt.js';

const failure = { at: Date.UTC(2025, 0, 15, 10, 30, 45, 123), reason: 'http_503', workerId: 'worker-1' };
const read = { at: '2025-01-15T10:30:45.123Z', reason: 'http_503', workerId: 'worker-1' };

describe('a failed attempt', () => {
  test('is a line with its time at a fixed place and its answer at the end', () => {
    expect(failureLine({ ...failure, status: 503, answer: 'no capacity' })).toBe(
      '{"at":"2025-01-15T10:30:45.123Z","reason":"http_503","status":503,"worker_id":"worker-1","answer":"no capacity"}',
    );
  });

  test('without an answer has none', () => {
    const line = '{"at":"2025-01-15T10:30:45.123Z","reason":"http_503","worker_id":"worker-1"}';
    expect(failureLine({ ...failure, status: undefined, answer: 'connect ECONNREFUSED' })).toBe(line);
    expect(failureLine({ ...failure, status: 503, answer: '' })).toBe(
      line.replace(',"worker', ',"status":503,"worker'),
    );
    expect(failureLine({ ...failure, status: 503, answer: undefined })).not.toContain('answer');
  });

  test('shows what does not print, and keeps the first 200 characters', () => {
    const line = failureLine({ ...failure, status: 503, answer: `a\n\u001b[31m"${'x'.repeat(300)}` });
    expect(line).not.toContain('\n');
    const [back] = readFailureLines(line);
    expect(back?.answer).toMatch(/^a\\x0a\\x1b\[31m"x+…$/);
  });

  test('comes back as it was written, the oldest first', () => {
    const lines = [
      failureLine({ ...failure, status: 503, answer: 'é"\\' }),
      failureLine({ ...failure, reason: 'timeout', status: undefined, answer: undefined }),
    ];
    const both = [
      { ...read, status: 503, answer: 'é"\\' },
      { ...read, reason: 'timeout', status: undefined, answer: undefined },
    ];
    expect(readFailureLines(lines.join('\n'))).toEqual(both);
    expect(readFailureList(JSON.parse(`[${lines.join(',')}]`))).toEqual(both);
  });

  test('that no worker wrote is left out', () => {
    expect(readFailureLines('not JSON\n[]\nnull\n{"at":1}\n\n{"at":"t","reason":"other"}')).toEqual([
      { at: 't', reason: 'other', status: undefined, answer: undefined, workerId: '' },
    ]);
    expect(readFailureList({ at: 't' })).toEqual([]);
    expect(readFailureList([3, 'x', null])).toEqual([]);
  });
});
