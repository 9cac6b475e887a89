import { expect, test } from 'vitest';
import { Wake } from '../../../../../src/shared/time/wake.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

test('a wake while nobody sleeps is not lost', async () => {
  const clock = new VirtualClock();
  const wake = new Wake(clock);
  wake.wake();
  await wake.sleep(5_000);
  expect(clock.pending).toBe(0);
});

test('a wake ends a sleep, and only that one', async () => {
  const clock = new VirtualClock();
  const wake = new Wake(clock);
  const sleeping = wake.sleep(5_000);
  wake.wake();
  await sleeping;
  expect(clock.pending).toBe(0);

  let awake = false;
  void wake.sleep(30).then(() => (awake = true));
  await clock.advance(29);
  expect(awake).toBe(false);
  await clock.advance(1);
  expect(awake).toBe(true);
});
