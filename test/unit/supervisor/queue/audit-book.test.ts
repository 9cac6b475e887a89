import { expect, test } from 'vitest';
import type { Deed } from '../../../../src/domain/audit/deed.js';
import { AuditBook } from '../../../../supervisor/queue/audit-book.js';
import { testConfig } from '../../../support/program/config.js';
import { VirtualClock } from '../../../support/virtual-clock.js';
import { recordedLog } from '../recorded-log.js';
import { ScriptedAccess } from './scripted-access.js';

const deed = (detail: string): Deed => ({ action: 'scale', who: 'token', where: '10.0.0.5\n', detail });

function bookOf() {
  const clock = new VirtualClock();
  const log = recordedLog();
  const access = new ScriptedAccess(clock);
  return { clock, log, access, book: new AuditBook({ access, settings: () => testConfig(), log, clock }) };
}

test('deeds are written in their order, and each connection is given back', async () => {
  const { access, book, log } = bookOf();
  void book.note(deed('1 → 2'));
  await book.note(deed('2 → 3'));
  expect(access.deeds.map(({ detail }) => detail)).toEqual(['1 → 2', '2 → 3']);
  expect(access.released).toHaveLength(2);
  expect(log.lines).toEqual([]);
});

test('without Redis a deed stands in the log, and at the next one it is said how many are missing', async () => {
  const { access, book, clock, log } = bookOf();
  access.isUp = false;
  const noted = book.note(deed('1 → 2'));
  await clock.advance(1_000);
  await noted;
  access.isUp = true;
  await book.note(deed('2 → 3'));
  expect(log.lines).toEqual([
    'WARNING: Not written into the audit: scale (1 → 2) by token on 10.0.0.5\\x0a: it is away',
    'INFO: The audit goes on; 1 entries are missing from it',
  ]);
});

test('a stop waits for what is being written, and no longer for Redis', async () => {
  const { access, book, clock, log } = bookOf();
  access.isUp = false;
  const [first, second] = [book.note(deed('a')), book.note(deed('b'))];
  const stopped = book.stop();
  await clock.advance(1_000);
  await Promise.all([first, second, stopped]);
  expect(clock.now()).toBeLessThan(2_100);
  expect(log.lines).toHaveLength(2);
});
