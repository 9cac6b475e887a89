import { expect, test } from 'vitest';
import { NOTHING_COUNTED } from '../../../../src/domain/history/book.js';
import { HistoryKeeping } from '../../../../supervisor/queue/history-keeping.js';
import type { Borrowed, QueueSettings } from '../../../../supervisor/queue/queue-access.js';
import { testConfig } from '../../../support/program/config.js';
import { recordedLog } from '../../../support/recorded-log.js';
import { ScriptedHistory } from '../../../support/redis/scripted-history.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

async function started() {
  const clock = new VirtualClock();
  const books = new Map<string, ScriptedHistory>();
  const released: string[] = [];
  const access = {
    borrow({ queue: { name } }: QueueSettings): Borrowed {
      const queue = books.get(name) ?? new ScriptedHistory();
      books.set(name, queue);
      return {
        queue: { noteHistory: (note) => queue.noteHistory(note) } as Borrowed['queue'],
        audit: { note: async () => undefined } as unknown as Borrowed['audit'],
        isReady: () => queue.isReady(),
        whenReady: async () => undefined,
        evictionPolicy: async () => 'noeviction',
        release: async () => void released.push(name),
      };
    },
  };
  const counts = { ...NOTHING_COUNTED, delivered: 0 };
  const seen: (number | 'forgotten')[] = [];
  const arrivals = {
    look: ({ arrived }: { readonly arrived: number }) => void seen.push(arrived),
    forget: () => void seen.push('forgotten'),
  };
  const settings = queueNamed('one');
  const log = recordedLog();
  const base = { access, isStandstill: () => false, settings, id: 's', arrivals, log, clock };
  const keeping = new HistoryKeeping({ ...base, counts: () => ({ ...counts }) });
  keeping.start();
  await clock.settle();
  return { clock, books, released, counts, seen, keeping };
}

const queueNamed = (name: string): QueueSettings => testConfig({ queue: { name } });

test('each queue gets what was counted while it was the one, under a writer of its own', async () => {
  const { clock, books, released, counts, seen, keeping } = await started();
  counts.delivered = 5;
  await clock.advance(2_000);
  counts.delivered = 8;
  await keeping.adopt(queueNamed('other'));
  await clock.settle();
  expect(released).toEqual(['one']);
  counts.delivered = 12;
  await clock.advance(2_000);
  counts.delivered = 13;
  await keeping.stop();
  expect(books.get('one')?.written.delivered).toBe(8);
  expect(books.get('other')?.written.delivered).toBe(5);
  const writers = [...books.values()].map(({ notes }) => notes[0]?.writer);
  expect(new Set(writers).size).toBe(2);
  expect(seen.filter((one) => one === 'forgotten')).toHaveLength(2);
});

test('the same queue once more goes on as it was', async () => {
  const { books, counts, keeping } = await started();
  await keeping.adopt(queueNamed('one'));
  counts.delivered = 3;
  await keeping.stop();
  expect(books.get('one')?.written.delivered).toBe(3);
  expect(new Set(books.get('one')?.notes.map(({ writer }) => writer)).size).toBe(1);
});
