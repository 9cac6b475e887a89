import { expect, test } from 'vitest';
import { Allowance } from '../../../../../src/shared/http/allowance.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

test('a second’s worth at once, the rest evenly and in line, and no timer while nobody waits', async () => {
  const clock = new VirtualClock();
  const allowance = new Allowance(10, clock);
  const begun: number[] = [];
  for (let at = 0; at < 15; at += 1) allowance.enter(() => begun.push(at));
  expect(begun).toHaveLength(10);
  await clock.advance(99);
  expect(begun).toHaveLength(10);
  await clock.advance(1);
  expect(begun).toHaveLength(11);
  await clock.advance(400);
  expect(begun).toEqual(Array.from({ length: 15 }, (_, at) => at));
  expect(clock.pending).toBe(0);
});

test('who leaves the line costs nothing', async () => {
  const clock = new VirtualClock();
  const allowance = new Allowance(1, clock);
  const begun: string[] = [];
  allowance.enter(() => begun.push('first'));
  const leave = allowance.enter(() => begun.push('gone'));
  allowance.enter(() => begun.push('last'));
  leave();
  await clock.advance(1_000);
  expect(begun).toEqual(['first', 'last']);
});
