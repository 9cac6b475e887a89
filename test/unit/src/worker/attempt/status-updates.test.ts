import { expect, test } from 'vitest';
import { momentOf, type Moment } from '../../../../../src/shared/time/deadline.js';
import { Copies } from '../../../../../src/worker/attempt/copies.js';
import { StatusUpdates } from '../../../../../src/worker/attempt/status-updates.js';
import { StatusPlaces } from '../../../../../src/worker/loop/status-places.js';
import { recordedLog } from '../../../../support/recorded-log.js';
import { DELIVERED, REFUSED, ScriptedMainServer } from '../../../../support/main-server/scripted-main-server.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

const QUEUED = { status: 'queued', attemptCount: 1, errorMessage: 'HTTP 500' } as const;

/** So many ms after the start of a virtual clock. */
function at(ms: number): Moment {
  return { now: ms, wallNow: new VirtualClock().wallNow() + ms };
}

function stage({ limit = 2, retryIntervalMs = 30_000 } = {}) {
  const clock = new VirtualClock();
  const log = recordedLog();
  const server = new ScriptedMainServer();
  const copies = new Copies();
  const flow = { limit };
  const places = new StatusPlaces();
  places.hasRoom = (sending) => sending < flow.limit;
  const updates = new StatusUpdates({ server, copies, retryIntervalMs, places, clock, log });
  return { clock, log, server, copies, updates, flow, ids: () => server.puts.map(({ id }) => id) };
}

test('as the places become fewer and more, so does how many are sent at once', async () => {
  const { updates, server, clock, flow, ids } = stage({ limit: 2 });
  for (const id of ['a', 'b', 'c', 'd', 'e']) updates.send(id, QUEUED, at(0));
  flow.limit = 1;
  server.puts[0]?.answer(DELIVERED);
  await clock.settle();
  expect(ids()).toEqual(['a', 'b']);
  flow.limit = 3;
  server.puts[1]?.answer(DELIVERED);
  await clock.settle();
  expect(ids()).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('so many at once as there are places, the others in their order', async () => {
  const { updates, server, clock, ids } = stage();
  for (const id of ['a', 'b', 'c', 'd']) updates.send(id, QUEUED, at(0));
  expect(ids()).toEqual(['a', 'b']);
  server.puts[1]?.answer(DELIVERED);
  await clock.settle();
  expect(ids()).toEqual(['a', 'b', 'c']);
  let idle = false;
  const waited = updates.idle().then(() => (idle = true));
  for (const put of server.puts) put.answer(DELIVERED);
  await clock.settle();
  expect({ ids: ids(), idle }).toEqual({ ids: ['a', 'b', 'c', 'd'], idle: false });
  server.puts[3]?.answer(DELIVERED);
  await waited;
});

test('what waited has the rest of its time; what waited too long is left out, as its message may be due again', async () => {
  const { updates, server, clock, log, ids } = stage({ limit: 1 });
  updates.send('a', QUEUED, at(0));
  updates.send('late', QUEUED, at(0));
  updates.send('c', QUEUED, at(4_000));
  expect(server.puts[0]?.deadlineMs).toBe(10_000);
  await clock.advance(10_500);
  server.puts[0]?.answer(DELIVERED);
  await clock.settle();
  expect(ids()).toEqual(['a', 'c']);
  expect(server.puts[1]?.deadlineMs).toBe(3_500);
  expect(log.lines).toEqual([expect.stringContaining('1 status update(s) left out')]);
});

test('each is over before its message is due again', () => {
  const { updates, server } = stage({ retryIntervalMs: 2_000 });
  updates.send('a', QUEUED, at(0));
  expect(server.puts[0]?.deadlineMs).toBe(1_600);
});

test('beyond a thousand that wait the newest are left out, which is said once a minute', async () => {
  const { updates, clock, log, ids } = stage();
  for (let number = 0; number < 1_003; number++) updates.send(String(number), QUEUED, at(0));
  expect(ids()).toHaveLength(2);
  expect(log.lines).toEqual(['WARNING 1 status update(s) left out: the main server takes them too slowly']);
  await clock.advance(59_999);
  updates.send('more', QUEUED, momentOf(clock));
  expect(log.lines).toHaveLength(1);
  await clock.advance(1);
  updates.send('and more', QUEUED, momentOf(clock));
  expect(log.lines[1]).toMatch(/^WARNING 2 status update/);
});

test('one that fails is said, and nothing else', async () => {
  const { updates, server, clock, log } = stage();
  updates.send('a\u001b', QUEUED, at(0));
  server.puts[0]?.answer(REFUSED);
  await clock.settle();
  expect(log.lines).toEqual(['WARNING Status of message a\\x1b was not updated: Connection refused']);
});

test('stopped, it cuts what is being sent, and nothing follows', async () => {
  const { updates, clock, log, ids } = stage({ limit: 1 });
  for (const id of ['a', 'b']) updates.send(id, QUEUED, at(0));
  await updates.stop();
  updates.send('c', QUEUED, at(0));
  await clock.settle();
  expect(ids()).toEqual(['a']);
  expect(log.lines).toEqual([]);
});

test('none is sent when its time is over on the wall clock alone: the host was suspended', async () => {
  const { updates, server, clock, log, ids } = stage({ limit: 1 });
  for (const id of ['a', 'b']) updates.send(id, QUEUED, momentOf(clock));
  clock.stepWall(10_001);
  server.puts[0]?.answer(DELIVERED);
  await clock.settle();
  expect(ids()).toEqual(['a']);
  expect(log.lines).toEqual([expect.stringContaining('1 status update(s) left out')]);
});

test('what waits is left out when another copy of the message waits for it, which goes on at once', async () => {
  const { updates, copies, server, clock, ids } = stage({ limit: 1 });
  for (const id of ['a', 'b']) {
    copies.take(id);
    updates.send(id, QUEUED, momentOf(clock));
  }
  const turn = copies.wait('b', new AbortController().signal);
  server.puts[0]?.answer(DELIVERED);
  expect(await turn).toBe(true);
  expect(ids()).toEqual(['a']);
  expect([copies.take('a'), copies.take('b')]).toEqual([true, false]);
});
