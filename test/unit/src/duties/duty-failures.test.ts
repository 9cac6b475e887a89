import { expect, test } from 'vitest';
import { createRepeatingDuty } from '../../../../src/duties/repeating-duty.js';
import { recordedLog } from '../../../support/recorded-log.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

function failingDuty(isVital: boolean) {
  const clock = new VirtualClock();
  const log = recordedLog();
  const state = { fails: true, isReady: true };
  const duty = createRepeatingDuty({
    name: 'retry scheduler',
    isVital,
    isReady: () => state.isReady,
    step: async () => {
      if (state.fails) throw new Error('NOPERM');
      return 1_000;
    },
    retryMs: 500,
    clock,
    log,
  });
  void duty.start();
  return { clock, log, state, duty, errors: () => log.lines.filter((line) => line.startsWith('ERROR')) };
}

test('after 10 s of failing it is one ERROR with the reason and a trouble, after 30 s one that stops things', async () => {
  const { clock, duty, errors, log, state } = failingDuty(true);
  await clock.advance(9_900);
  expect([errors(), duty.trouble]).toEqual([[], undefined]);
  await clock.advance(600);
  const text = 'the retry scheduler has failed for more than 10 s: NOPERM';
  expect(duty.trouble).toEqual({ duty: 'retry scheduler', text, stops: false });
  await clock.advance(20_000);
  expect(duty.trouble).toEqual({ duty: 'retry scheduler', text: text.replace('10', '30'), stops: true });
  await clock.advance(600_000);
  expect(errors()).toEqual([
    `ERROR The retry scheduler has failed for more than 10 s: NOPERM; it is tried again and again`,
  ]);
  state.fails = false;
  await clock.advance(1_000);
  expect(duty.trouble).toBeUndefined();
  expect(log.lines.at(-1)).toMatch(/^INFO The retry scheduler works again after 63\d s$/);
  await duty.stop();
});

test('what delivery does not hang on never stops it', async () => {
  const { clock, duty } = failingDuty(false);
  await clock.advance(60_000);
  expect(duty.trouble?.stops).toBe(false);
  await duty.stop();
});

test('a failure now and then is nothing to say', async () => {
  const { clock, duty, errors, state } = failingDuty(true);
  for (let round = 0; round < 30; round += 1) {
    state.fails = round % 2 === 0;
    await clock.advance(3_000);
  }
  expect([errors(), duty.trouble]).toEqual([[], undefined]);
  await duty.stop();
});

test('while Redis is away, which is said elsewhere, no duty is called failing', async () => {
  const { clock, duty, errors, state } = failingDuty(true);
  state.isReady = false;
  await clock.advance(60_000);
  expect([errors(), duty.trouble]).toEqual([[], undefined]);
  await duty.stop();
});
