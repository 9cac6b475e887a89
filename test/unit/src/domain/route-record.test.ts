import { expect, test } from 'vitest';
import {
  ABORTED,
  isNoSuchRoute,
  outcomeOfErrorCode,
  outcomeOfStatus,
} from '../../../../src/domain/delivery-outcome.js';
import { RouteRecord } from '../../../../src/domain/route-record.js';

const FRAMEWORK = outcomeOfStatus(404, '{"detail":"Not Found"}');
const APPLICATION = outcomeOfStatus(404, '{"error":"Message not found: m","status_code":404}');

function recordOf(outcomes: readonly ReturnType<typeof outcomeOfStatus>[]): RouteRecord {
  const record = new RouteRecord();
  for (const outcome of outcomes) record.note(outcome);
  return record;
}

const times = (count: number) => Array.from({ length: count }, () => FRAMEWORK);

test('twenty answers of "no such route" in a row mean that there is none', () => {
  expect(recordOf(times(19)).isMissing).toBe(false);
  expect(recordOf(times(20)).isMissing).toBe(true);
  expect(recordOf(Array.from({ length: 20 }, () => outcomeOfStatus(405, ''))).isMissing).toBe(true);
});

test.each([
  ['a delivery', outcomeOfStatus(200, '')],
  ['a message that it does not know', APPLICATION],
  ['a failure', outcomeOfStatus(500, '')],
])('%s among them means that there is one', (_, outcome) => {
  expect(recordOf([...times(30), outcome]).isMissing).toBe(false);
  expect(recordOf([...times(19), outcome, ...times(19)]).isMissing).toBe(false);
});

test.each([
  ['no answer', outcomeOfErrorCode('ECONNREFUSED', '')],
  ['a kill', ABORTED],
])('%s says nothing of it', (_, outcome) => {
  expect(recordOf([...times(19), outcome, FRAMEWORK]).isMissing).toBe(true);
});

test('what says so', () => {
  expect([FRAMEWORK, outcomeOfStatus(404, '<html>'), outcomeOfStatus(405, '')].map(isNoSuchRoute)).toEqual([
    true,
    true,
    true,
  ]);
  expect([APPLICATION, outcomeOfStatus(410, ''), outcomeOfStatus(200, ''), ABORTED].map(isNoSuchRoute)).toEqual(
    Array(4).fill(false),
  );
});
