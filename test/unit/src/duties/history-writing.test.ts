import { expect, test } from 'vitest';
import { NOTHING_COUNTED, type HistoryCounts } from '../../../../src/domain/history/book.js';
import { createHistoryWriting } from '../../../../src/duties/history-writing.js';
import type { HistoryLook } from '../../../../src/queue/background-queue.js';
import { recordedLog } from '../../../support/recorded-log.js';
import { ScriptedHistory } from '../../../support/redis/scripted-history.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

async function started({ isStandstill = (): boolean => false } = {}) {
  const clock = new VirtualClock();
  const queue = new ScriptedHistory();
  const log = recordedLog();
  const counts: { -readonly [name in keyof HistoryCounts]: number } = { ...NOTHING_COUNTED };
  const looks: HistoryLook[] = [];
  const onLook = (look: HistoryLook): void => void looks.push(look);
  const told = { queue, writer: 'w.1', counts: () => ({ ...counts }), isStandstill, onLook };
  const writing = createHistoryWriting({ ...told, clock, log });
  await writing.start();
  await clock.settle();
  return { clock, queue, log, counts, looks, writing };
}

test('what was counted is written every two seconds, and the rest at the end', async () => {
  const { clock, queue, counts, looks, writing } = await started();
  expect(queue.notes).toHaveLength(1);
  counts.delivered = 7;
  await clock.advance(2_000);
  expect(queue.written.delivered).toBe(7);
  counts.delivered = 9;
  counts.acknowledged = 9;
  await writing.stop();
  expect(queue.written).toMatchObject({ delivered: 9, acknowledged: 9 });
  expect(looks).toHaveLength(3);
  expect(new Set(queue.notes.map(({ writer }) => writer))).toEqual(new Set(['w.1']));
});

test('nothing is lost or written twice over an outage and a lost answer', async () => {
  const { clock, queue, counts, log, writing } = await started();
  counts.failed = 3;
  queue.losesAnswer = true;
  await clock.advance(2_000);
  queue.isUp = false;
  counts.failed = 4;
  await clock.advance(60_000);
  queue.isUp = true;
  await clock.advance(2_000);
  expect(queue.written.failed).toBe(4);
  expect(log.count(/^(WARNING|ERROR)/)).toBe(0);
  expect(writing.trouble).toBeUndefined();
});

test('a refusal is said once, is a trouble after 10 s, and what was counted meanwhile is written after it', async () => {
  const { clock, queue, counts, log, writing } = await started();
  queue.refusal = 'OOM command not allowed';
  counts.retried = 5;
  await clock.advance(10_000);
  expect(writing.trouble).toBeUndefined();
  await clock.advance(290_000);
  expect(log.count(/^WARNING The history of the queue is not written, and deliveries go on .*OOM/)).toBe(1);
  expect(writing.trouble).toMatchObject({ duty: 'history', stops: false });
  expect(writing.trouble?.text).toMatch(/^the history has failed for more than 30 s: .*OOM/);
  queue.refusal = undefined;
  await clock.advance(10_000);
  expect(writing.trouble).toBeUndefined();
  expect(queue.written.retried).toBe(5);
  expect(log.count(/^INFO The history of the queue is written again after 3\d\d s/)).toBe(1);
});

test('a history that nobody wants is no trouble', async () => {
  const { clock, queue, log, writing } = await started();
  queue.isOff = true;
  await clock.advance(60_000);
  expect(writing.trouble).toBeUndefined();
  expect(log.count(/^INFO The history of the queue is not written.*REDIS_SIDE_BOOKS_MAX is 0/)).toBe(1);
  expect(log.count(/^WARNING/)).toBe(0);
});

test('a history for which there is no room is refused as well', async () => {
  const { clock, queue, log, counts } = await started();
  queue.hasRoom = false;
  counts.retried = 5;
  await clock.advance(60_000);
  expect(log.count(/^WARNING The history of the queue is not written/)).toBe(1);
  queue.hasRoom = true;
  await clock.advance(10_000);
  expect(queue.written.retried).toBe(5);
});

test('the oldest wait goes along with the next note, and the time of Redis with each', async () => {
  const { clock, queue, writing } = await started();
  const queuedAt = new Date(clock.wallNow() - 4_000).toISOString();
  const oldest = Buffer.from(JSON.stringify({ message_id: 'm', queued_at: queuedAt }));
  queue.look = { ...queue.look, waiting: 1, oldest };
  await clock.advance(2_000);
  expect(queue.notes.at(-1)).toMatchObject({ oldestWaitSeconds: undefined, redisNow: queue.look.at + 2_000 });
  await clock.advance(2_000);
  expect(queue.notes.at(-1)).toMatchObject({ oldestWaitSeconds: 6, redisNow: queue.look.at + 2_000 });
  await writing.stop();
});

test('an end while Redis is away waits for nobody', async () => {
  const { clock, queue, writing } = await started();
  queue.isUp = false;
  const stopped = writing.stop();
  await clock.settle();
  await stopped;
  expect(queue.notes).toHaveLength(1);
});

test('it says for how long nothing can be delivered, over an outage of Redis too', async () => {
  let stands = false;
  const { clock, queue, writing } = await started({ isStandstill: () => stands });
  stands = true;
  await clock.advance(2_000);
  await clock.advance(4_000);
  queue.isUp = false;
  await clock.advance(30_000);
  queue.isUp = true;
  await clock.advance(2_000);
  stands = false;
  await clock.advance(2_000);
  expect(queue.notes.map(({ stoodMs }) => stoodMs)).toEqual([0, 0, 2_000, 4_000, 36_000, 0]);
  await writing.stop();
});
