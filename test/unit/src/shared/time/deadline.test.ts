import { describe, expect, test } from 'vitest';
import { Deadline, momentOf } from '../../../../../src/shared/time/deadline.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

describe('a deadline is over', () => {
  test('as soon as its time is, not before', async () => {
    const clock = new VirtualClock();
    const deadline = new Deadline(1_000, clock);
    await clock.advance(999);
    expect(deadline).toMatchObject({ isOver: false, leftMs: 1 });
    await clock.advance(1);
    expect(deadline).toMatchObject({ isOver: true, leftMs: 0 });
  });

  test('on the wall clock alone: the host was suspended', () => {
    const clock = new VirtualClock();
    const deadline = new Deadline(1_000, clock);
    clock.stepWall(1_001);
    expect(deadline).toMatchObject({ isOver: true, leftMs: -1 });
  });

  test('on the monotonic clock alone: the wall clock was set back meanwhile', async () => {
    const clock = new VirtualClock();
    const deadline = new Deadline(1_000, clock);
    clock.stepWall(-3_600_000);
    await clock.advance(1_001);
    expect(deadline).toMatchObject({ isOver: true, leftMs: -1 });
  });
});

test('it counts from the moment that it is given, on both clocks', async () => {
  const clock = new VirtualClock();
  const from = momentOf(clock);
  await clock.advance(400);
  clock.stepWall(100);
  expect(new Deadline(1_000, clock, from)).toMatchObject({ untilMs: 1_000, leftMs: 500 });
});
