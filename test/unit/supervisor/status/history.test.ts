import { expect, test } from 'vitest';
import { History } from '../../../../supervisor/status/history.js';
import type { Sample } from '../../../../supervisor/status/status-events.js';
import { bytes, duration, longDuration, rate } from '../../../../supervisor/dashboard/page/format.js';
import { SampleBuffer } from '../../../../supervisor/dashboard/page/plots/sample-buffer.js';
import { verdictOf } from '../../../../supervisor/status/documents/verdict.js';
import { someStatus } from '../../contract/some-status.js';

const sample = (at: number): Sample => ({ ...({} as Sample), at, waiting: at });

test('half an hour is kept, and no more; what is new since a count is given', () => {
  const history = new History();
  for (let at = 0; at < 2_550; at++) history.add(sample(at));
  const all = history.since(0);
  expect([all.at.length, all.at[0], all.at.at(-1), all.waiting.at(-1)]).toEqual([900, 1_650, 2_549, 2_549]);
  expect(history.since(2_548).at).toEqual([2_548, 2_549]);
  expect(history.since(2_550).at).toEqual([]);
});

test('the page keeps no more than that either, however long it is open', () => {
  const buffer = new SampleBuffer();
  const history = new History();
  for (let at = 0; at < 3_000; at++) {
    history.add(sample(at));
    buffer.add(history.since(at));
  }
  expect([buffer.length, buffer.column('waiting').length, buffer.column('at')[0]]).toEqual([900, 900, 2_100]);
  buffer.replace(history.since(2_990));
  expect(buffer.length).toBe(10);
});

test('numbers are short', () => {
  expect([0, 0.004, 0.1234, 3.21, 59, 3_725, 90_061].map((seconds) => duration(seconds))).toEqual([
    '0 s',
    '4.0 ms',
    '123 ms',
    '3.2 s',
    '59 s',
    '1h 2m',
    '1d 1h',
  ]);
  expect([0, 0.25, 12.34, 1_234.5].map(rate)).toEqual(['0', '0.25', '12.3', '1,235']);
  expect([12, 2_048, 90 * 1_048_576].map(bytes)).toEqual(['12 B', '2 KiB', '90 MiB']);
  expect([duration(null), rate(null), bytes(null), longDuration(61)]).toEqual(['–', '–', '–', '1m 1s']);
});

test('the verdict has the reasons of /ready and /health once each, and says what to type', () => {
  const status = someStatus();
  expect(verdictOf(status)).toMatchObject({ state: 'stopped', reasons: ['no worker takes messages'] });
  const away = { ...status, queue: { ...status.queue, redis_up: false } };
  expect(verdictOf(away)).toMatchObject({
    reasons: ['Redis cannot be reached', 'no worker takes messages'],
    next_steps: [{ type: 'message-broker-worker check' }],
  });
  const reload = { at: '', ok: false, reason: 'x', remarks: [] };
  const reasons = ['the last reload failed: x'];
  const failed = { ...status, supervisor: { ...status.supervisor, last_reload: reload, reasons } };
  expect(verdictOf(failed).reasons).toEqual(['no worker takes messages', 'the last reload failed: x']);
  expect(verdictOf(failed).next_steps.map(({ type }) => type)).toContain('message-broker-worker reload');
});
