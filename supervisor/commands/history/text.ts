/** The history as a table with bars, pure. */
import { printable } from '../../../src/shared/words/escape.js';
import type { HistoryDocument, HistoryNumbers } from '../../admin/protocol.js';
import { duration } from '../kit/duration.js';
import { table } from '../kit/text-table.js';

const BAR_COLUMNS = 24;
const DELIVERED = '█';
const FAILED = '░';
const HEADINGS = [
  'UTC',
  'ARRIVED',
  'DELIVERED',
  'FAILED',
  'RETRIED',
  'BURIED',
  'OLDEST',
  'WAITING',
  `${DELIVERED} delivered ${FAILED} failed`,
];
const LEFT_ALIGNED = new Set([0, 8]);

export function historyLines({ queue, days, by, rows, total }: HistoryDocument): string[] {
  const title = `queue ${printable(queue, 100)}, ${days === 1 ? 'one day' : `${days} days`} by ${by}`;
  if (rows.every(isNothing)) return [`${title}: nothing has happened that this program has counted.`];
  const most = Math.max(...rows.map(({ delivered, failed }) => delivered + failed));
  const lines = rows.map((row) => [timeOf(row.from, by), ...cells(row), bar(row, most)]);
  return [
    `${title}; OLDEST and WAITING are the most at any time`,
    '',
    ...table([HEADINGS, ...lines, ['all', ...cells(total), '']], LEFT_ALIGNED),
  ];
}

function isNothing(row: HistoryNumbers): boolean {
  return row.arrived + row.delivered + row.failed + row.buried + row.most_waiting === 0;
}

function cells(row: HistoryNumbers): string[] {
  const { arrived, delivered, failed, retried, buried, oldest_wait_seconds: wait, most_waiting: waiting } = row;
  const oldest = wait === 0 ? '-' : wait < 10 ? `${wait.toFixed(1)}s` : duration(wait);
  return [...[arrived, delivered, failed, retried, buried].map(String), oldest, String(waiting)];
}

function timeOf(iso: string, by: HistoryDocument['by']): string {
  return by === 'day' ? iso.slice(0, 10) : iso.slice(0, 16).replace('T', ' ');
}

/** The longest is full; what is more than nothing is at least one column. */
function bar({ delivered, failed }: HistoryNumbers, most: number): string {
  const columns = (count: number): number => (count === 0 ? 0 : Math.max(1, Math.round((count / most) * BAR_COLUMNS)));
  return DELIVERED.repeat(columns(delivered)) + FAILED.repeat(columns(failed));
}
