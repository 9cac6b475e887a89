import { expect, test, vi } from 'vitest';
import { MidnightWatch } from '../../../../../src/shared/logger/midnight.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

const MINUTE = 60_000;

function watch() {
  const clock = new VirtualClock(new Date(2025, 0, 15, 23, 58, 30).getTime());
  const onNewDay = vi.fn();
  const midnight = new MidnightWatch(clock, onNewDay);
  midnight.start();
  return { clock, onNewDay, midnight };
}

test('tells of a new day within milliseconds, once', async () => {
  const { clock, onNewDay } = watch();
  await clock.advance(1.5 * MINUTE - 1);
  expect(onNewDay).not.toHaveBeenCalled();
  await clock.advance(2);
  expect(onNewDay).toHaveBeenCalledTimes(1);
  clock.pass(23 * 60 * MINUTE);
  expect(onNewDay).toHaveBeenCalledTimes(1);
  clock.pass(60 * MINUTE);
  expect(onNewDay).toHaveBeenCalledTimes(2);
});

test('notices within a minute that the host slept over midnight', async () => {
  const { clock, onNewDay } = watch();
  clock.stepWall(57 * 60 * MINUTE);
  await clock.advance(MINUTE);
  expect(onNewDay).toHaveBeenCalledTimes(1);
});

test('counts days from its start, and stop leaves no timer', async () => {
  const clock = new VirtualClock();
  const onNewDay = vi.fn();
  const midnight = new MidnightWatch(clock, onNewDay);
  clock.stepWall(24 * 60 * MINUTE);
  midnight.start();
  midnight.start();
  expect(clock.pending).toBe(1);
  await clock.advance(MINUTE);
  expect(onNewDay).not.toHaveBeenCalled();
  await midnight.stop();
  midnight.start();
  expect(clock.pending).toBe(0);
});
