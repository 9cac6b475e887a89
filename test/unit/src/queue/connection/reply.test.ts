import { ReplyError } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { codeIn, replyCode } from '../../../../../src/queue/connection/reply.js';
import { RedisUnavailableError } from '../../../../../src/shared/errors.js';

/** Every code that this program, or an operator who reads its log, looks for. */
const CODES = ['READONLY', 'UNBLOCKED', 'MASTERDOWN', 'LOADING', 'NOSCRIPT', 'NOAUTH', 'WRONGPASS', 'NOPERM'];
const OTHERS = ['WRONGTYPE', 'OOM', 'MISCONF', 'BUSY', 'NOREPLICAS', 'CLUSTERDOWN', 'EXECABORT'];
const SHA = '1f0a'.repeat(10);

describe.each([...CODES, ...OTHERS])('%s is found', (code) => {
  test.each([
    ['as the first word', `${code} what else it says`],
    ['as the only word', code],
    ['as Redis 7 says it of a script', `${code} what else script: ${SHA}, on @user_script:12.`],
    [
      'refused before it ran, Redis 6',
      `ERR Error running script (call to f_${SHA}): @user_script:1: @user_script: 1: -${code} what else`,
    ],
    [
      'refused by the command, Redis 6',
      `ERR Error running script (call to f_${SHA}): @user_script:12: ${code} what else`,
    ],
    ['returned by pcall, Redis 6', `@user_script: 12: -${code} what else`],
    [
      'of a function',
      `ERR Error running script (call to f_${SHA}): @user_function:3: @user_function: 3: -${code} what else`,
    ],
  ])('%s', (_, text) => {
    expect(codeIn(text)).toBe(code);
  });
});

test('what a user may not do in a script is NOPERM, although Redis says it without a code', () => {
  const why = "The user executing the script can't run this command or subcommand";
  expect(codeIn(`ERR Error running script (call to f_${SHA}): @user_script:1: @user_script: 1: ${why}`)).toBe('NOPERM');
  expect(codeIn(`ERR ${why} script: ${SHA}, on @user_script:1.`)).toBe('NOPERM');
  expect(codeIn('ERR ACL failure in script: User mbw has no permissions to run the lpush command')).toBe('NOPERM');
});

test.each([
  ['ERR unknown command `INFO`', 'ERR'],
  ['ERR DB index is out of range', 'ERR'],
  [`ERR Error running script (call to f_${SHA}): @user_script:4: user_script:4: attempt to index a nil value`, 'ERR'],
  ['ERR Error running script: it mentions -READONLY later on', 'ERR'],
  ['the text of a message that says READONLY', undefined],
  ['', undefined],
])('%j has the code %s', (text, code) => {
  expect(codeIn(text)).toBe(code);
});

test('only what Redis answered has a code', () => {
  const reply = new (ReplyError as new (message: string) => Error)('READONLY no');
  expect(replyCode(reply)).toBe('READONLY');
  expect(replyCode(new RedisUnavailableError('a sentence', false, { cause: reply }))).toBe('READONLY');
  expect(replyCode(new Error('READONLY no'))).toBeUndefined();
});
