import { expect, test } from 'vitest';
import type { HistoryDocument } from '../../../../../supervisor/admin/protocol.js';
import { marksIn } from '../../../../../supervisor/dashboard/page/plots/marks.js';
import { pastColumns } from '../../../../../supervisor/dashboard/page/plots/past.js';

const NOTHING = {
  arrived: 0,
  delivered: 0,
  failed: 0,
  retried: 0,
  buried: 0,
  oldest_wait_seconds: 0,
  most_waiting: 0,
};
const NOW = Date.UTC(2026, 10, 26, 12, 0, 40);
const ago = (minutes: number): string => new Date(NOW - 40_000 - minutes * 60_000).toISOString();

function historyOf(parts: Partial<HistoryDocument> = {}): HistoryDocument {
  const base = { schema_version: 1, queue: 'q', days: 1, by: 'minute', at: new Date(NOW).toISOString() } as const;
  const unseen = { known_since: ago(2_000), gaps: [], outages: [], marks: [], marks_since: null };
  return { ...base, rows: [], total: NOTHING, ...unseen, ...parts };
}

const rowOf = (minutes: number, parts: object) => ({ from: ago(minutes), ...NOTHING, ...parts });
const last = (history: HistoryDocument, field: string, count: number) =>
  pastColumns(history).column(field).slice(-count);

test('a minute without a row was quiet, and the one that has not ended counts by what has gone of it', () => {
  const rows = [
    rowOf(2, { delivered: 120, retried: 3, most_waiting: 9, oldest_wait_seconds: 1.5 }),
    rowOf(0, { delivered: 80 }),
  ];
  const history = historyOf({ rows });
  expect(last(history, 'delivered_per_second', 4)).toEqual([0, 2, 0, 2]);
  expect(last(history, 'retried_per_minute', 3)).toEqual([3, 0, 0]);
  expect(last(history, 'most_waiting', 3)).toEqual([9, 0, 0]);
  expect(last(history, 'oldest_wait', 3)).toEqual([1.5, 0, 0]);
  expect(pastColumns(history).length).toBe(1_440);
  expect(last(history, 'at', 1)).toEqual([NOW / 1_000 - 20]);
});

test('what nobody saw is not known, and what was seen in part counts for that part', () => {
  const gaps = [{ from: new Date(NOW - 40_000 - 230_000).toISOString(), until: ago(1) }];
  const history = historyOf({ gaps, rows: [rowOf(4, { delivered: 50 })] });
  // five minutes ago; 10 s of the next, which is too little; three without a look; one with
  expect(last(history, 'delivered_per_second', 6)).toEqual([0, null, null, null, 0, 0]);
  const part = historyOf({
    gaps: [{ from: ago(2), until: new Date(NOW - 40_000 - 100_000).toISOString() }],
    rows: [rowOf(2, { delivered: 40 })],
  });
  expect(last(part, 'delivered_per_second', 3)).toEqual([1, 0, 0]);
});

test('before the book began nothing is known; of one that does not say when, its first line tells', () => {
  const known = (history: HistoryDocument) => last(history, 'most_waiting', 1_440).filter((value) => value !== null);
  expect(known(historyOf({ known_since: ago(10) }))).toHaveLength(11);
  expect(known(historyOf({ known_since: null, rows: [rowOf(5, { delivered: 1 })] }))).toHaveLength(6);
  expect(known(historyOf({ known_since: null }))).toEqual([]);
});

test('hours are hours', () => {
  const rows = [{ from: ago(60), ...NOTHING, delivered: 7_200 }];
  const history = historyOf({ by: 'hour', days: 7, known_since: ago(20_000), rows });
  expect(pastColumns(history).length).toBe(168);
  expect(last(history, 'delivered_per_second', 2)).toEqual([2, 0]);
});

test('marks: what lasts is shaded, a moment is a stroke, and all are told, the newest first', () => {
  const marks = [
    { at: ago(300), kind: 'pause', text: 'old', until: ago(290) },
    { at: ago(50), kind: 'pause', text: 'why', until: null },
    { at: ago(20), kind: 'reload', text: 'done', until: null },
  ] as const;
  const outages = [{ from: ago(40), until: ago(30) }];
  const drawn = marksIn(historyOf({ marks, outages, known_since: ago(55) }), NOW - 3_600_000);
  expect(drawn.strokes.map(({ letter }) => letter)).toEqual(['P', 'R']);
  expect(drawn.bands).toEqual([
    { kind: 'unknown', from: NOW - 3_600_000, until: Date.parse(ago(55)) },
    { kind: 'outage', from: Date.parse(ago(40)), until: Date.parse(ago(30)) },
    { kind: 'pause', from: Date.parse(ago(50)), until: NOW },
  ]);
  expect(drawn.happenings.map(({ what, until }) => [what, until])).toEqual([
    ['Reload', undefined],
    ['Outage', Date.parse(ago(30))],
    ['Paused', Infinity],
    ['Not known', Date.parse(ago(55))],
  ]);
  expect(marksIn(historyOf({ marks: null }), 0).strokes).toEqual([]);
});
