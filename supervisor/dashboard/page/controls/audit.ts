/** Who did what, on any host: asked for with the token, since a filter may hold a text out of a message. */
import { ask, CancelledError, RefusedError } from '../admin-requests.js';
import { byId, setText } from '../elements.js';
import * as format from '../format.js';
import { printable } from '../../../../src/shared/words/escape.js';
import type { AuditEntryDocument } from '../../../admin/protocol.js';
import { createTable } from '../tables/table.js';
import { gate } from '../token-gate.js';

const SHOWN = 50;

let table: ReturnType<typeof createTable> | undefined;

export function createAudit(): void {
  gate(byId<HTMLButtonElement>('audit-show')).onclick = () => void show();
}

async function show(): Promise<void> {
  try {
    const { entries } = await ask('audit', { limit: SHOWN });
    table ??= createTable(byId('audit-panel'), {
      caption: 'Who did what, the newest first',
      columns: [
        { title: 'At' },
        { title: 'Action' },
        { title: 'Who' },
        { title: 'Where' },
        { title: 'Count', kind: 'number' },
        { title: 'What', kind: 'text' },
      ],
      empty: 'Nobody has done anything yet.',
      testid: 'audit',
    });
    table.show(entries.map((entry) => ({ key: entry.id, cells: cellsOf(entry) })));
    byId('audit-panel').hidden = false;
    setText(byId('audit-show'), 'Read the audit again');
    setText(byId('audit-note'), `The last ${SHOWN} at most. Times are of ${format.zone()}.`);
  } catch (error) {
    if (error instanceof CancelledError) return;
    const why = error instanceof RefusedError ? printable(error.message, 300) : 'it could not be read.';
    setText(byId('audit-note'), `The audit is unknown: ${why}`);
  }
}

function cellsOf({ at, action, who, where, filter, count, detail }: AuditEntryDocument): string[] {
  const what = [detail, filter === null ? null : JSON.stringify(filter)].filter((text) => text !== null).join(' ');
  return [
    format.dateTime(at),
    printable(action, 20),
    printable(who, 60),
    printable(where, 60),
    format.count(count),
    printable(what, 300),
  ];
}
