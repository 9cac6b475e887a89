/** What `d` shows. Pure. */
import { printable } from '../../../../src/shared/words/escape.js';
import type { DeadLetterList, DeadLetterSummary } from '../../../admin/protocol.js';
import { duration } from '../../kit/duration.js';
import { fitted, type Column } from '../drawing/columns.js';
import { line, type Line } from '../drawing/line.js';
import type { Room } from '../overview.js';

/** Of the screen, the other lines. */
export const LINES_BESIDE = 6;

export type Letters = { readonly list: DeadLetterList } | { readonly problem: string } | undefined;

/** @param now ms since the Unix epoch. */
export function deadLetters(letters: Letters, { columns, rows }: Room, now: number): Line[] {
  const title = line({ text: 'Dead letters', tone: 'strong' });
  if (letters === undefined) return [title, line('looking …')];
  if ('problem' in letters) return [title, line({ text: letters.problem, tone: 'bad' })];
  const { list } = letters;
  if (list.total === 0) return [line({ text: 'There are no dead letters.', tone: 'strong' })];
  const { lines, leftOut } = fitted(columnsAt(now), list.letters, columns);
  const more = leftOut.length === 0 ? '' : `; a wider terminal also shows: ${leftOut.join(', ').toLowerCase()}`;
  return [
    line(
      { text: `${list.total} dead letters`, tone: 'strong' },
      `, ${list.letters.length} here, the newest first${more}`,
    ),
    [],
    ...lines.slice(0, Math.max(2, rows - LINES_BESIDE)),
    [],
    line(
      { text: 'message-broker-worker dead show NUMBER', tone: 'strong' },
      ' shows one, ',
      { text: 'dead replay', tone: 'strong' },
      ' delivers again',
    ),
  ];
}

function columnsAt(now: number): readonly Column<DeadLetterSummary>[] {
  return [
    { heading: 'NUMBER', rank: 0, cell: ({ number }) => ({ text: String(number) }) },
    { heading: 'DIED', rank: 2, cell: ({ dead_at: at }) => ({ text: ago(at, now) }) },
    { heading: 'REASON', rank: 1, left: true, cell: ({ reason }) => ({ text: printable(reason, 30) }) },
    { heading: 'ATTEMPTS', rank: 6, cell: ({ attempt_count: count }) => ({ text: String(count) }) },
    { heading: 'CLIENT', rank: 5, left: true, cell: ({ client_id: id }) => ({ text: printable(id ?? '-', 24) }) },
    {
      heading: 'MESSAGE',
      rank: 3,
      left: true,
      least: 10,
      elastic: true,
      cell: ({ message_id: id }) => ({ text: printable(id ?? '-', 40) }),
    },
    {
      heading: 'SAID',
      rank: 4,
      left: true,
      least: 12,
      elastic: true,
      cell: ({ error }) => ({ text: printable(error, 80) }),
    },
  ];
}

function ago(at: string | null, now: number): string {
  return at === null ? 'unknown' : `${duration(Math.max(0, (now - Date.parse(at)) / 1_000))} ago`;
}
