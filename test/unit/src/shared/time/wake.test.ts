import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pause } from '../../../../../src/shared/time/pause.js';
import { Wake } from '../../../../../src/shared/time/wake.js';

// time stands still but where a test lets it pass: whoever waited for it would wait for ever
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a wake while nobody sleeps is not lost', async () => {
  const wake = new Wake();
  wake.wake();
  await wake.sleep(5_000);
});

test('a wake ends a sleep, and only that one', async () => {
  const wake = new Wake();
  const sleeping = wake.sleep(5_000);
  wake.wake();
  await sleeping;
  let isOver = false;
  void wake.sleep(30).then(() => (isOver = true));
  await vi.advanceTimersByTimeAsync(29);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(isOver).toBe(true);
});

test('a pause ends when its signal fires, also one that fired before', async () => {
  const cut = new AbortController();
  const paused = pause(5_000, cut.signal);
  cut.abort();
  await paused;
  await pause(5_000, cut.signal);
});
