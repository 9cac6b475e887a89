import { expect, test } from 'vitest';
import type { AuditEntry } from '../../../../../src/domain/audit/deed.js';
import { historyDocument } from '../../../../../supervisor/admin/documents/history.js';
import { marksOf, pauseDetail } from '../../../../../supervisor/admin/documents/marks.js';

const START = Date.UTC(2026, 10, 26, 10);
const at = (seconds: number): string => new Date(START + seconds * 1_000).toISOString();

function entry(seconds: number, action: string, detail?: string): AuditEntry {
  const atMs = START + seconds * 1_000;
  return { id: `${atMs}-0`, atMs, action, who: 'w', where: 'h', filter: undefined, count: undefined, detail };
}

test('deeds that change the flow are marks, the oldest first, and nothing else is told of them', () => {
  const entries = [
    entry(9, 'resume', 'it was'),
    entry(5, 'purge', 'secret'),
    entry(2, 'scale', '2 → 3'),
    entry(1, 'reload'),
  ];
  expect(marksOf(entries)).toEqual([
    { at: at(1), kind: 'reload', text: '', until: null },
    { at: at(2), kind: 'scale', text: '2 → 3', until: null },
    { at: at(9), kind: 'resume', text: 'it was', until: null },
  ]);
  expect(marksOf([entry(NaN, 'reload'), entry(9e15, 'reload')])).toEqual([]);
});

test.each([
  ['until somebody ends it', undefined, [], null],
  ['until it is ended', undefined, [entry(30, 'resume')], at(30)],
  ['until it ends by itself', 20, [entry(30, 'pause', 'again')], at(20)],
  ['until another one takes its place', 20, [entry(10, 'pause', 'again')], at(10)],
])('a pause lasts %s', (_, seconds, later, until) => {
  const [pause] = marksOf([...later, entry(0, 'pause', pauseDetail(seconds, 'for 3 s we look'))]);
  expect(pause).toMatchObject({ kind: 'pause', until });
});

test('a time and a reason are told apart', () => {
  expect(pauseDetail(60, 'why')).toBe('for 60 s: why');
  expect(pauseDetail(60, '')).toBe('for 60 s');
  expect(pauseDetail(undefined, 'why')).toBe('why');
});

test('what is not known is said to be: an audit that cannot be read, and one that goes on before what was looked through', () => {
  const read = {
    now: START,
    from: START,
    entries: [],
    begun: undefined,
    gaps: [],
    outages: [{ from: START, until: START + 9_000 }],
  };
  const query = { days: 1, by: 'hour' } as const;
  expect(historyDocument(read, undefined, query, 'q')).toMatchObject({
    marks: null,
    marks_since: null,
    known_since: null,
  });
  const many = Array.from({ length: 1_000 }, (_, back) => entry(1_000 - back, 'retry'));
  expect(historyDocument({ ...read, begun: START }, many, query, 'q')).toMatchObject({
    marks: [],
    marks_since: at(1),
    known_since: at(0),
    outages: [{ from: at(0), until: at(9) }],
  });
  expect(historyDocument(read, many.slice(1), query, 'q').marks_since).toBeNull();
});
