import { expect, test } from 'vitest';
import type { HistoryDocument, HistoryNumbers } from '../../../../../supervisor/admin/protocol.js';
import { historyLines } from '../../../../../supervisor/commands/history/text.js';

const NOTHING: HistoryNumbers = {
  arrived: 0,
  delivered: 0,
  failed: 0,
  retried: 0,
  buried: 0,
  oldest_wait_seconds: 0,
  most_waiting: 0,
};

function documentOf(by: HistoryDocument['by'], rows: readonly Partial<HistoryDocument['rows'][number]>[]) {
  const whole = rows.map((row) => ({ from: '2026-11-26T10:00:00.000Z', ...NOTHING, ...row }));
  const base = { schema_version: 1, queue: 'q\u001b[31m', days: 2, at: '2026-11-26T11:00:00.000Z' };
  const unseen = { known_since: null, gaps: [], outages: [], marks: null, marks_since: null };
  return {
    ...base,
    ...unseen,
    by,
    rows: whole,
    total: { ...NOTHING, delivered: 120, arrived: 130 },
  } satisfies HistoryDocument;
}

test('a line for each unit, with a bar as long as what was tried', () => {
  const lines = historyLines(
    documentOf('hour', [
      { from: '2026-11-26T09:00:00.000Z', delivered: 90, failed: 30, arrived: 100, most_waiting: 7 },
      { delivered: 30, retried: 2, oldest_wait_seconds: 4.26 },
      { from: '2026-11-26T11:00:00.000Z', failed: 1, oldest_wait_seconds: 3_725 },
    ]),
  );
  expect(lines).toEqual([
    'queue q\\x1b[31m, 2 days by hour; OLDEST and WAITING are the most at any time',
    '',
    'UTC               ARRIVED  DELIVERED  FAILED  RETRIED  BURIED  OLDEST  WAITING  █ delivered ░ failed',
    `2026-11-26 09:00      100         90      30        0       0       -        7  ${'█'.repeat(18)}${'░'.repeat(6)}`,
    `2026-11-26 10:00        0         30       0        2       0    4.3s        0  ${'█'.repeat(6)}`,
    '2026-11-26 11:00        0          0       1        0       0    1h2m        0  ░',
    'all                   130        120       0        0       0       -        0',
  ]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(110);
});

test('days are named by their date, and that nothing has happened is said in a sentence', () => {
  expect(historyLines(documentOf('day', [{ delivered: 1 }]))[3]).toMatch(/^2026-11-26 /);
  expect(historyLines(documentOf('day', [{}, {}]))).toEqual([
    'queue q\\x1b[31m, 2 days by day: nothing has happened that this program has counted.',
  ]);
});
