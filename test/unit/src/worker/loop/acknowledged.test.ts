import { afterEach, expect, test } from 'vitest';
import { DELIVERED, FAILED } from '../../../../support/main-server/scripted-main-server.js';
import { closeCores, createCore, message } from '../core.js';

afterEach(closeCores);

/** What the history is reckoned with: claims that left Redis, by whichever way we learn it. */
test('an acknowledgement counts once it is done, also when its answer was lost, and not when the claim was another’s', async () => {
  const { workLoop, queue, server, clock, metrics, settle } = createCore();
  queue.push(...['a', 'b', 'c', 'd'].map((id) => message(id)));
  workLoop.start();
  await settle();
  server.post('a').answer(DELIVERED);
  await settle();
  expect(metrics.totals()).toMatchObject({ delivered: 1, acknowledged: 1 });
  queue.next({ kind: 'no-reply', done: true });
  server.post('b').answer(DELIVERED);
  await settle();
  expect(metrics.totals()).toMatchObject({ delivered: 2, acknowledged: 1 });
  await clock.advance(500);
  expect(metrics.totals()).toMatchObject({ delivered: 2, acknowledged: 2 });
  queue.next({ kind: 'loses-settlements' });
  server.post('c').answer(DELIVERED);
  await settle();
  expect(metrics.totals()).toMatchObject({ delivered: 3, acknowledged: 2 });
  server.post('d').answer(FAILED);
  await settle();
  expect(metrics.totals()).toMatchObject({ delivered: 3, acknowledged: 2, failed: 1, retried: 1, buried: 0 });
});
