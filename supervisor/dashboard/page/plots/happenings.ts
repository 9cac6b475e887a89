/** What the marks in the plots mean, for those who see them and for those who do not: a line in words, and all of them as a table. */
import { byId, setText } from '../elements.js';
import * as format from '../format.js';
import { printable } from '../../../../src/shared/words/escape.js';
import type { HistoryDocument } from '../../../admin/protocol.js';
import { createTable } from '../tables/table.js';
import { LETTERS, type Marks } from './marks.js';

const MOST = 100;

let table: ReturnType<typeof createTable> | undefined;

export function showHappenings({ happenings }: Marks, history: HistoryDocument, rangeName: string): void {
  table ??= createTable(byId('happened-panel'), {
    caption: 'What happened in the time that the plots show, the newest first',
    columns: [{ title: 'At' }, { title: 'What' }, { title: 'For' }, { title: 'Details', kind: 'text' }],
    empty: 'Nothing is known to have happened.',
    testid: 'happened',
  });
  const counts = new Map<string, number>();
  for (const { what } of happenings) counts.set(what, (counts.get(what) ?? 0) + 1);
  const words = [...counts].map(([what, count]) => `${what.toLowerCase()} (${count})`).join(', ');
  setText(byId('happened-summary'), `What happened in ${rangeName}: ${words === '' ? 'nothing' : words}`);
  setText(byId('happened-note'), noteOf(history, happenings.length));
  table.show(
    happenings.slice(0, MOST).map(({ from, until, what, text }, place) => ({
      key: String(place),
      cells: [format.dateTime(new Date(from).toISOString()), what, lastingText(from, until), printable(text, 300)],
    })),
  );
}

function noteOf({ marks, marks_since: since }: HistoryDocument, count: number): string {
  const texts = [
    `${LETTERS.join(', ')}; shaded: outage (bar above), pause (bar below); hatched: not known.`,
    marks === null ? 'What operators did is unknown: the audit cannot be read.' : '',
    since === null
      ? ''
      : `What operators did before ${format.dateTime(since)} is unknown: the audit has too many entries.`,
    count > MOST ? `The last ${MOST} of ${count} are listed.` : '',
    `Times are of ${format.zone()}.`,
  ];
  return texts.filter((text) => text !== '').join(' ');
}

function lastingText(from: number, until: number | undefined): string {
  if (until === undefined) return '';
  return until === Infinity ? 'goes on' : format.duration(Math.round((until - from) / 1_000));
}
