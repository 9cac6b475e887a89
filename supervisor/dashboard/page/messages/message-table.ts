/** The rows of a list of messages: where each is, what happened to it, and what can be done to it there. */
import { make, setAttribute, setText } from '../elements.js';
import * as format from '../format.js';
import { printable } from '../../../../src/shared/words/escape.js';
import type { MessageSummary } from '../../../admin/protocol.js';
import { createTable, type TableRow } from '../tables/table.js';
import { gate } from '../token-gate.js';
import { ACTIONS, type Action } from './actions.js';
import { nameFor, planOf } from './places.js';
import type { Selection } from './selection.js';
import { failureText, nameOf, whenText, whereText } from './words.js';

const COLUMNS = [
  { title: 'Message', kind: 'text' },
  { title: 'Where', kind: 'text' },
  { title: 'Last failure', kind: 'text' },
  { title: 'Failed', kind: 'number' },
  { title: 'Queued' },
  { title: 'Client' },
  { title: 'Domain' },
  { title: 'Size', kind: 'number' },
  { title: 'Actions' },
] as const;

interface MessageTableOptions {
  readonly selection: Selection;
  readonly show: (message: MessageSummary) => void;
  readonly doIt: (action: Action, names: readonly string[]) => void;
}

export function createMessageTable(place: HTMLElement, options: MessageTableOptions) {
  const table = createTable(place, {
    caption: 'Messages in the place that was chosen',
    columns: COLUMNS,
    empty: '',
    testid: 'messages',
  });
  const nothing = place.querySelector('.nothing') ?? place;
  return {
    /** @param empty what is said where there are none. */
    show(messages: readonly MessageSummary[], empty: string): void {
      setText(nothing, empty);
      table.show(rowsOf(messages, options));
    },
  };
}

function rowsOf(messages: readonly MessageSummary[], options: MessageTableOptions): TableRow[] {
  const seen = new Map<string, number>();
  const now = Date.now();
  return messages.map((message) => {
    // an id may be there more than once
    const name = `${message.place} ${nameFor(message) ?? format.UNKNOWN}`;
    const copy = (seen.get(name) ?? 0) + 1;
    seen.set(name, copy);
    return { key: `${name} ${copy}`, cells: cellsOf(message, now, options) };
  });
}

function cellsOf(message: MessageSummary, now: number, options: MessageTableOptions): TableRow['cells'] {
  return [
    (cell) => fillName(cell, message, options.selection),
    (cell) => {
      setText(cell, whereText(message, now));
      setAttribute(cell, 'title', whenText(message, now));
    },
    failureText(message),
    format.count(message.attempt_count),
    (cell) => {
      setText(cell, format.ago(message.queued_at, now));
      setAttribute(cell, 'title', format.dateTime(message.queued_at));
    },
    printable(message.client_id ?? format.UNKNOWN, 60),
    printable(message.domain ?? format.UNKNOWN, 80),
    format.bytes(message.size_bytes),
    (cell) => fillButtons(cell, message, options),
  ];
}

function fillName(cell: HTMLTableCellElement, message: MessageSummary, selection: Selection): void {
  const name = nameFor(message);
  const isPickable = name !== undefined && planOf(message).actions.length > 0;
  if (!isPickable) return setText(cell, nameOf(message));
  const box = cell.querySelector('input');
  if (box) return selection.mark(box, name);
  cell.replaceChildren(make('label', { class: 'pick' }, selection.box(name, nameOf(message)), nameOf(message)));
}

/** What a row is about does not change while it is there. */
function fillButtons(cell: HTMLTableCellElement, message: MessageSummary, { show, doIt }: MessageTableOptions): void {
  if (cell.childElementCount > 0) return;
  const name = nameFor(message);
  if (name === undefined) return;
  const named = nameOf(message);
  const button = (text: string, label: string, onClick: () => void): Node => {
    const made = gate(make('button', { type: 'button', 'aria-label': label }, text));
    made.onclick = onClick;
    return made;
  };
  const buttons = planOf(message).actions.map((action) =>
    button(ACTIONS[action].button, `${ACTIONS[action].button} ${named}`, () => doIt(action, [name])),
  );
  cell.append(
    make(
      'span',
      { class: 'buttons' },
      button('Details', `Details of ${named}`, () => show(message)),
      ...buttons,
    ),
  );
}
