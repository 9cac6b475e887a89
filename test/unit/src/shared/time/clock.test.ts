import { expect, test } from 'vitest';
import { systemClock } from '../../../../../src/shared/time/clock.js';

test('a sleep ends when its signal fires, also one that fired before', async () => {
  const cut = new AbortController();
  const asleep = systemClock.sleep(3_600_000, cut.signal);
  cut.abort();
  await asleep;
  await systemClock.sleep(3_600_000, cut.signal);
});

test('a timer fires once, or again and again until it is cancelled', async () => {
  const fired: string[] = [];
  await new Promise<void>((resolve) => {
    systemClock.after(1, () => fired.push('once'));
    const timer = systemClock.every(1, () => {
      fired.push('again');
      if (fired.filter((what) => what === 'again').length < 3) return;
      timer.cancel();
      timer.cancel();
      resolve();
    });
  });
  expect(fired.filter((what) => what === 'once')).toHaveLength(1);
});
