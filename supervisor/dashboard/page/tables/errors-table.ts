import type { ErrorStatus } from '../../../status/status-document.js';
import { setAttribute, setText } from '../elements.js';
import { printable } from '../../../../src/shared/words/escape.js';
import * as format from '../format.js';
import { createTable } from './table.js';

const COLUMNS = [
  { title: 'Reason' },
  { title: 'Last 5 min', kind: 'number' },
  { title: 'In all', kind: 'number' },
  { title: 'Last seen' },
  { title: 'Last error', kind: 'text' },
  { title: 'Last message', kind: 'text' },
  { title: 'Worker' },
] as const;

/** @param now ms since the Unix epoch, by the supervisor's clock. */
export function createErrorsTable(place: HTMLElement): (errors: readonly ErrorStatus[], now: number) => void {
  const table = createTable(place, {
    caption: 'Failed attempts and messages moved to the dead list, by reason',
    columns: COLUMNS,
    empty: 'No attempt has failed since the supervisor started.',
    testid: 'errors',
  });
  return (errors, now) =>
    table.show(
      errors.map((error) => ({
        key: error.reason,
        attributes: { 'data-testid': `error-${error.reason}`, 'data-recent': String(error.recent_count > 0) },
        cells: [
          printable(error.reason, 80),
          format.count(error.recent_count),
          format.count(error.count),
          (cell) => {
            setText(cell, format.ago(error.last_at, now));
            setAttribute(cell, 'title', format.dateTime(error.last_at));
          },
          printable(error.last_error, 200),
          printable(error.last_message_id ?? format.UNKNOWN, 255),
          printable(error.last_worker_id, 80),
        ],
      })),
    );
}
