import { expect, test } from 'vitest';
import { ClaimSize } from '../../../../../src/queue/claims/claim-size.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

test('after each lost claim the next asks for less, down to one message, and for more again in time', async () => {
  const clock = new VirtualClock();
  const size = new ClaimSize(clock);
  const most = size.bytes;
  expect(most).toBe(1_048_576);
  size.noteLost();
  expect(size.bytes).toBe(most / 4);
  for (let time = 0; time < 20; time += 1) size.noteLost();
  expect(size.bytes).toBe(1);
  await clock.advance(29_000);
  expect(size.bytes).toBe(1);
  await clock.advance(1_000);
  expect(size.bytes).toBe(4);
  for (let time = 0; time < 20; time += 1) {
    await clock.advance(30_000);
    expect(size.bytes).toBeLessThanOrEqual(most);
  }
  expect(size.bytes).toBe(most);
});
