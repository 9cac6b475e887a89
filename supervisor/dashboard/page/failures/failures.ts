/** What fails, whom it hits and since when: put together as one likes, and opened to the messages that are hit. Loaded when it is opened. */
import { ask, RefusedError } from '../admin-requests.js';
import { byId, make, setAttribute, setText } from '../elements.js';
import * as format from '../format.js';
import { printable } from '../../../../src/shared/words/escape.js';
import type { DeadLetterFields, FailureGroupDocument, FailuresDocument } from '../../../admin/protocol.js';
import { createTable, type TableRow } from '../tables/table.js';
import { gate } from '../token-gate.js';

type Side = FailuresDocument['by'];

const COLUMNS = [
  { title: 'What', kind: 'text' },
  { title: 'Attempts', kind: 'number' },
  { title: 'Reasons', kind: 'text' },
  { title: 'Clients', kind: 'number' },
  { title: 'Domains', kind: 'number' },
  { title: 'Since' },
  { title: 'Last' },
  { title: 'Example', kind: 'text' },
  { title: 'Actions' },
] as const;

interface FailuresOptions {
  /** Lists the messages that wait for a retry after such a failure. */
  readonly list: (which: DeadLetterFields) => void;
  readonly find: (id: string) => void;
}

export class Failures {
  readonly #options: FailuresOptions;
  readonly #place = byId('failures-panel');
  readonly #table = createTable(this.#place, {
    caption: 'Failed attempts, those that failed most often first',
    columns: COLUMNS,
    empty: '',
    testid: 'failures',
  });
  readonly #sides = [...document.querySelectorAll<HTMLButtonElement>('[data-failures-by]')];
  readonly #since = byId<HTMLSelectElement>('failures-since');
  #by: Side = 'reason';
  #asked = 0;

  constructor(options: FailuresOptions) {
    this.#options = options;
    const section = byId<HTMLDetailsElement>('failures-section');
    section.ontoggle = () => section.open && void this.#load();
    this.#since.onchange = () => void this.#load();
    byId('failures-refresh').onclick = () => void this.#load();
    for (const side of this.#sides) side.onclick = () => this.#putTogether(side.dataset['failuresBy'] as Side);
  }

  #putTogether(by: Side): void {
    this.#by = by;
    for (const side of this.#sides) setAttribute(side, 'aria-pressed', String(side.dataset['failuresBy'] === by));
    void this.#load();
  }

  async #load(): Promise<void> {
    const mine = ++this.#asked;
    const fields = { by: this.#by, newer_than_seconds: Number(this.#since.value) };
    try {
      const document = await ask('failures', fields);
      if (mine === this.#asked) this.#show(document);
    } catch (error) {
      const why = error instanceof RefusedError ? printable(error.message, 300) : 'the answer could not be read.';
      if (mine === this.#asked) this.#showRows([], `Not known: ${why}`, '');
    }
  }

  #show({ since, by, attempts, groups, other_attempts: other }: FailuresDocument): void {
    const from = format.dateTime(since);
    const more = other > 0 ? `, and ${format.count(other)} of which only the number is known` : '';
    const note = `${format.count(attempts)} failed attempts since ${from}${more}; also of what has been delivered since.`;
    const rows = groups.map((group) => ({ key: `${by} ${String(group.name)}`, cells: this.#cellsOf(group, by) }));
    this.#showRows(rows, `Nothing has failed since ${from}.`, attempts + other === 0 ? '' : note);
  }

  #showRows(rows: readonly TableRow[], empty: string, note: string): void {
    setText(this.#place.querySelector('.nothing') ?? this.#place, empty);
    setText(byId('failures-note'), note);
    this.#table.show(rows);
  }

  #cellsOf(group: FailureGroupDocument, by: Side): TableRow['cells'] {
    const now = Date.now();
    const name = group.name === null ? format.UNKNOWN : printable(group.name, 120);
    return [
      name,
      format.count(group.attempts),
      printable(group.reasons.slice(0, 3).join(', '), 80),
      format.count(group.clients),
      format.count(group.domains),
      format.ago(group.first_at, now),
      format.ago(group.last_at, now),
      printable(group.example_message_id, 120),
      (cell) => this.#fillButtons(cell, group, by, name),
    ];
  }

  #fillButtons(cell: HTMLTableCellElement, group: FailureGroupDocument, by: Side, name: string): void {
    const list = make('button', { type: 'button', 'aria-label': `Messages that wait after ${name}` }, 'Messages');
    const example = gate(make('button', { type: 'button', 'aria-label': `Example of ${name}` }, 'Example'));
    const which = fieldsOf(group, by);
    list.disabled = which === undefined;
    list.onclick = () => which && this.#options.list(which);
    example.onclick = () => this.#options.find(group.example_message_id);
    // the example is another one each time
    const hadFocus = cell.contains(document.activeElement);
    const buttons = group.example_message_id === '' ? [list] : [list, example];
    cell.replaceChildren(make('span', { class: 'buttons' }, ...buttons));
    if (hadFocus) list.focus();
  }
}

/** Undefined = they cannot be told from others. A status stands for the reason that it mostly has. */
function fieldsOf({ name, reasons }: FailureGroupDocument, by: Side): DeadLetterFields | undefined {
  const [reason] = reasons;
  if (by === 'status') return reason === undefined ? undefined : { reason };
  return name === null ? undefined : { [by]: name };
}
