import { expect, test } from 'vitest';
import { pause } from '../../../../../src/shared/time/pause.js';
import { Wake } from '../../../../../src/shared/time/wake.js';

test('a wake while nobody sleeps is not lost', async () => {
  const wake = new Wake();
  wake.wake();
  const startedAt = performance.now();
  await wake.sleep(5_000);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test('a wake ends a sleep, and only that one', async () => {
  const wake = new Wake();
  const sleeping = wake.sleep(5_000);
  wake.wake();
  await sleeping;
  const startedAt = performance.now();
  await wake.sleep(30);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(25);
});

test('a pause ends when its signal fires, also one that fired before', async () => {
  const cut = new AbortController();
  const paused = pause(5_000, cut.signal);
  cut.abort();
  await paused;
  await pause(5_000, cut.signal);
});
