import { ReplyError } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { examine } from '../../../../../src/queue/connection/examination.js';

type Answer = string | readonly string[] | Error;

const refusal = (text: string) => new (ReplyError as new (message: string) => Error)(text);
const UNKNOWN = refusal("ERR unknown command 'INFO', with args beginning with:");
const FORBIDDEN = refusal('NOPERM this user has no permissions to run the info command');

function server(answers: Readonly<Record<string, Answer>>) {
  const asked: string[] = [];
  const ask = async (command: string): Promise<unknown> => {
    asked.push(command);
    const answer = answers[command] ?? refusal(`ERR unknown command '${command}'`);
    if (answer instanceof Error) throw answer;
    return typeof answer === 'string' ? Buffer.from(answer) : answer.map((word) => Buffer.from(word));
  };
  return { asked, ask };
}

describe('by INFO', () => {
  test.each([
    ['run_id:abc\r\nrole:master\r\nloading:0\r\n', { runId: 'abc', role: 'master', isLoading: false }],
    ['run_id:abc\r\nrole:slave\r\nloading:1\r\n', { runId: 'abc', role: 'replica', isLoading: true }],
    ['redis_version:7.0.15\r\n', { runId: '', role: 'unknown', isLoading: false }],
  ])('%j', async (info, expected) => {
    const { ask, asked } = server({ INFO: info });
    expect(await examine(ask)).toEqual(expected);
    expect(asked).toEqual(['INFO']);
  });
});

describe.each([
  ['renamed', UNKNOWN],
  ['forbidden', FORBIDDEN],
])('INFO is %s', (_, refused) => {
  test.each([
    [
      { PING: 'PONG', ROLE: ['master', '0'] },
      { role: 'master', isLoading: false },
    ],
    [
      { PING: 'PONG', ROLE: ['slave', '10.0.0.1'] },
      { role: 'replica', isLoading: false },
    ],
    [
      { PING: refusal('LOADING Redis is loading the dataset in memory'), ROLE: ['master'] },
      { role: 'master', isLoading: true },
    ],
    [
      { PING: 'PONG', ROLE: FORBIDDEN },
      { role: 'unknown', isLoading: false },
    ],
    [
      { PING: FORBIDDEN, ROLE: FORBIDDEN },
      { role: 'unknown', isLoading: false },
    ],
  ])('%j', async (answers, expected) => {
    expect(await examine(server({ INFO: refused, ...answers }).ask)).toEqual({ runId: '', ...expected });
  });
});

test('a password that is wanted and was not given is no refusal of INFO', async () => {
  const wanted = refusal('NOAUTH Authentication required.');
  await expect(examine(server({ INFO: wanted }).ask)).rejects.toBe(wanted);
});

test('what ended the connection is handed on', async () => {
  const lost = new Error('Connection is closed.');
  await expect(examine(server({ INFO: lost }).ask)).rejects.toBe(lost);
  await expect(examine(server({ INFO: UNKNOWN, PING: lost }).ask)).rejects.toBe(lost);
});
