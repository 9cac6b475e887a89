/** What fails, by reason. Pure. */
import { printable } from '../../../src/shared/words/escape.js';
import type { ErrorStatus } from '../../status/status-document.js';
import { duration } from '../kit/duration.js';
import { fitted, type Column } from './drawing/columns.js';
import type { Line } from './drawing/line.js';

/** @param now ms since the Unix epoch. */
export function failuresTable(errors: readonly ErrorStatus[], columns: number, now: number): readonly Line[] {
  const shown: readonly Column<ErrorStatus>[] = [
    { heading: 'FAILED BECAUSE', rank: 0, left: true, cell: ({ reason }) => ({ text: printable(reason, 40) }) },
    { heading: 'IN 5 MIN', rank: 1, cell: recent },
    { heading: 'SINCE START', rank: 4, cell: ({ count }) => ({ text: String(count) }) },
    { heading: 'LAST', rank: 2, least: 10, cell: ({ last_at: at }) => ({ text: ago(at, now) }) },
    {
      heading: 'MESSAGE',
      rank: 5,
      left: true,
      cell: ({ last_message_id: id }) => ({ text: printable(id ?? '-', 40) }),
    },
    { heading: 'WORKER', rank: 6, left: true, cell: ({ last_worker_id: id }) => ({ text: printable(id, 20) }) },
    {
      heading: 'SAID',
      rank: 3,
      left: true,
      least: 20,
      elastic: true,
      cell: ({ last_error: said }) => ({ text: printable(said, 60) }),
    },
  ];
  return fitted(shown, errors, columns).lines;
}

function recent({ recent_count: count }: ErrorStatus): { text: string; tone?: 'warning' } {
  return { text: String(count), ...(count > 0 ? { tone: 'warning' } : {}) };
}

function ago(at: string | null, now: number): string {
  return at === null ? '-' : `${duration(Math.max(0, (now - Date.parse(at)) / 1_000))} ago`;
}
