import { systemClock } from '../../../../src/shared/time/clock.js';
import { expect, test } from 'vitest';
import type { DeliveryOutcome } from '../../../../src/domain/delivery-outcome.js';
import { StatusUpdates } from '../../../../src/worker/status-updates.js';

const QUEUED = { status: 'queued', attemptCount: 1, errorMessage: 'HTTP 500' } as const;
const SENT: DeliveryOutcome = { kind: 'delivered', status: 200 };

/** A main server whose answers the test gives, and a clock that it moves. */
function stage(parallel = 2) {
  const asked: { readonly id: string; readonly deadlineMs: number; answer(): void }[] = [];
  const warnings: string[] = [];
  const time = { now: 0 };
  const ignore = () => undefined;
  const updates = new StatusUpdates({
    server: {
      updateStatus: (id, _update, deadlineMs, signal) =>
        new Promise((resolve) => {
          asked.push({ id, deadlineMs, answer: () => resolve(SENT) });
          signal.addEventListener('abort', () => resolve({ kind: 'aborted' }));
        }),
    },
    retryIntervalMs: 30_000,
    parallel,
    clock: { ...systemClock, now: () => time.now, wallNow: () => 0 },
    log: { debug: ignore, info: ignore, warn: (text) => warnings.push(text), error: ignore },
  });
  return { updates, asked, warnings, time, ids: () => asked.map(({ id }) => id) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('so many at once as there are connections, the others in their order', async () => {
  const { updates, asked, ids } = stage();
  for (const id of ['a', 'b', 'c', 'd']) updates.send(id, QUEUED, 0);
  expect(ids()).toEqual(['a', 'b']);
  asked[1]?.answer();
  await turn();
  expect(ids()).toEqual(['a', 'b', 'c']);
  let idle = false;
  const waited = updates.idle().then(() => (idle = true));
  for (const { answer } of asked) answer();
  await turn();
  expect({ ids: ids(), idle }).toEqual({ ids: ['a', 'b', 'c', 'd'], idle: false });
  asked[3]?.answer();
  await waited;
});

test('what waited has the rest of its time; what waited too long is left out, as its message may be due again', async () => {
  const { updates, asked, ids, time, warnings } = stage(1);
  updates.send('a', QUEUED, 0);
  updates.send('late', QUEUED, 0);
  updates.send('c', QUEUED, 4_000);
  expect(asked[0]?.deadlineMs).toBe(10_000);
  time.now = 10_500;
  asked[0]?.answer();
  await turn();
  expect(ids()).toEqual(['a', 'c']);
  expect(asked[1]?.deadlineMs).toBe(3_500);
  expect(warnings).toEqual([expect.stringContaining('1 status update(s) left out')]);
});

test('beyond a thousand that wait the newest are left out', () => {
  const { updates, ids, warnings } = stage();
  for (let at = 0; at < 1_003; at++) updates.send(String(at), QUEUED, 0);
  expect(ids()).toHaveLength(2);
  expect(warnings).toEqual([expect.stringContaining('1 status update(s) left out')]);
});

test('a kill cuts what is being sent, and nothing follows', async () => {
  const { updates, ids } = stage(1);
  for (const id of ['a', 'b']) updates.send(id, QUEUED, 0);
  await updates.stop();
  updates.send('c', QUEUED, 0);
  expect(ids()).toEqual(['a']);
});
