import { expect, test } from 'vitest';
import { lostProblem } from '../../../../../src/queue/connection/problem.js';
import { EXIT_FAILURE, RedisUnavailableError } from '../../../../../src/shared/errors.js';
import { brokenOff } from '../../../../../supervisor/commands/kit/bulk.js';

test('a run in whose midst Redis has gone says how far it is; one that had not begun says what is wrong alone', () => {
  const gone = new RedisUnavailableError('Cannot connect to Redis at h:1: the connection was lost', true);
  expect(brokenOff(gone, 2_000, '2000 messages cancelled.')).toMatchObject({
    exitCode: EXIT_FAILURE,
    message:
      'Cannot connect to Redis at h:1: the connection was lost. 2000 messages cancelled. Perhaps a few more; repeat the command to go on.',
  });
  expect(brokenOff(gone, 0, '0 messages cancelled.')).toBe(gone);
  const bug = new TypeError('x');
  expect(brokenOff(bug, 7, '7 messages cancelled.')).toBe(bug);
});

test('what the client says of its own retries is no word to an operator', () => {
  const said =
    'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.';
  expect(lostProblem(new Error(said))).toBe('the connection was lost');
  expect(lostProblem(new Error('Connection is closed.'))).toBe('the connection was lost');
  expect(lostProblem(new Error('read ECONNRESET'))).toBe('read ECONNRESET');
});
