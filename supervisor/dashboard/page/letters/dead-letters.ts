/** The dead letters: the newest of them, one with its message, and back to the queue with one or all of a reason. */
import { ask, CancelledError, RefusedError } from '../admin-requests.js';
import { byId, make, setAttribute, setText } from '../elements.js';
import { DEAD_LETTER_REASONS } from '../shared/dead-letter-reasons.js';
import { printable } from '../shared/escape.js';
import type { DeadLetterList, DeadLetterRunFields, DeadLetterSummary } from '../shared/protocol.js';
import * as format from '../format.js';
import { showLetter } from './letter-dialog.js';
import { createTable } from '../tables/table.js';

const SHOWN = 50;
const COLUMNS = [
  { title: 'Message', kind: 'text' },
  { title: 'Reason' },
  { title: 'Error', kind: 'text' },
  { title: 'Died' },
  { title: 'Attempts', kind: 'number' },
  { title: 'Size', kind: 'number' },
  { title: 'Worker' },
  { title: 'Actions' },
] as const;

export class DeadLetters {
  readonly #table = createTable(byId('dead-panel'), {
    caption: 'Dead letters, the newest first',
    columns: COLUMNS,
    empty: 'There are no dead letters.',
    testid: 'dead',
  });
  readonly #filter = byId<HTMLSelectElement>('dead-reason');
  readonly #all = byId<HTMLButtonElement>('replay-all');
  readonly #note = byId('dead-note');
  #total: number | undefined;
  #fetched = 0;

  constructor() {
    this.#filter.append(...DEAD_LETTER_REASONS.map((reason) => make('option', { value: reason }, reason)));
    this.#filter.onchange = () => void this.#load();
    this.#all.onclick = () => void this.#replayAll();
  }

  /** @param now undefined = Redis is away. */
  totalIs(now: number | undefined): void {
    if (now === this.#total) return;
    this.#total = now;
    if (now !== undefined) void this.#load();
  }

  async #load(): Promise<void> {
    const mine = ++this.#fetched;
    try {
      const list = await ask('deadLetters', { limit: SHOWN, ...this.#chosen() });
      if (mine === this.#fetched) this.#show(list);
    } catch (error) {
      setText(this.#note, sentenceOf(error));
    }
  }

  #show({ letters, has_more: more }: DeadLetterList): void {
    const replayOne = (key: string): Promise<void> => this.#replay({ ids: [key] });
    this.#table.show(letters.map((letter) => ({ key: letter.key, cells: cellsOf(letter, replayOne) })));
    this.#all.disabled = letters.length === 0;
    const rest = more ? `The newest ${letters.length} are shown; message-broker-worker dead list shows more.` : '';
    byId('dead-panel').setAttribute('data-more', rest);
  }

  async #replayAll(): Promise<void> {
    if (await confirmed(questionFor(this.#filter.value, this.#total))) await this.#replay(this.#chosen());
  }

  async #replay(which: DeadLetterRunFields): Promise<void> {
    try {
      const { done } = await ask('replay', which);
      setText(this.#note, `${format.count(done)} back in the queue.`);
    } catch (error) {
      if (!(error instanceof CancelledError)) setText(this.#note, sentenceOf(error));
    }
    await this.#load();
  }

  #chosen(): { readonly reason?: string } {
    return this.#filter.value === '' ? {} : { reason: this.#filter.value };
  }
}

function cellsOf(letter: DeadLetterSummary, replay: (key: string) => Promise<void>) {
  return [
    printable(letter.message_id ?? format.UNKNOWN, 255),
    printable(letter.reason, 80),
    printable(letter.error, 200),
    format.dateTime(letter.dead_at),
    format.count(letter.attempt_count),
    format.bytes(letter.size_bytes),
    printable(letter.worker_id, 80),
    (cell: HTMLTableCellElement) => {
      if (cell.childElementCount > 0) return;
      const named = printable(letter.message_id ?? letter.key, 255);
      const details = make('button', { type: 'button' }, 'Details');
      const again = make('button', { type: 'button' }, 'Replay');
      setAttribute(details, 'aria-label', `Details of ${named}`);
      setAttribute(again, 'aria-label', `Replay ${named}`);
      details.onclick = () => void showLetter(letter, replay);
      again.onclick = () => void replay(letter.key);
      cell.append(make('span', { class: 'buttons' }, details, again));
    },
  ];
}

function questionFor(reason: string, total: number | undefined): string {
  const which =
    reason === ''
      ? `all dead letters${total === undefined ? '' : ` (${format.count(total)})`}`
      : `all dead letters of reason ${reason}`;
  return `Put ${which} back in the queue, the oldest first, with their attempts at 0?`;
}

function confirmed(question: string): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>('confirm');
  setText(byId('confirm-text'), question);
  let yes = false;
  byId('confirm-yes').onclick = () => {
    yes = true;
    dialog.close();
  };
  dialog.showModal();
  return new Promise((resolve) => (dialog.onclose = () => resolve(yes)));
}

function sentenceOf(error: unknown): string {
  return error instanceof RefusedError ? printable(error.message, 300) : 'The dead letters could not be read.';
}
