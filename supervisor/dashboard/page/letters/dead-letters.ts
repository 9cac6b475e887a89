/** The dead letters: page by page from the newest, one with its message, and back to the queue with one or all that are meant. */
import { ask, CancelledError, RefusedError } from '../admin-requests.js';
import { byId, make, setAttribute, setText } from '../elements.js';
import { printable } from '../shared/escape.js';
import type { DeadLetterList, DeadLetterRunFields, DeadLetterSummary } from '../shared/protocol.js';
import * as format from '../format.js';
import { showLetter } from './letter-dialog.js';
import { LetterFilter } from './letter-filter.js';
import { createTable } from '../tables/table.js';
import { gate } from '../token-gate.js';

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
    empty: 'Not read yet.',
    testid: 'dead',
  });
  readonly #empty = byId('dead-panel').querySelector('.nothing') ?? byId('dead-panel');
  readonly #filter = new LetterFilter(() => void this.#load());
  readonly #all = byId<HTMLButtonElement>('replay-all');
  readonly #more = byId<HTMLButtonElement>('dead-more');
  readonly #note = byId('dead-note');
  #total: number | undefined;
  #fetched = 0;
  #letters: readonly DeadLetterSummary[] = [];
  #cursor: string | null = null;

  constructor() {
    this.#all.onclick = () => void this.#replayAll();
    this.#more.onclick = () => void this.#loadMore();
  }

  /** @param now undefined = Redis is away. */
  totalIs(now: number | undefined): void {
    if (now === this.#total) return;
    this.#total = now;
    if (now === undefined) return this.#lost();
    // who has gone further is not taken back to the first page
    if (this.#letters.length <= SHOWN) void this.#load();
  }

  /** What is shown stays, and nobody is told that there are none. */
  #lost(): void {
    setText(this.#empty, 'How many there are is unknown: Redis cannot be reached.');
    this.#all.disabled = true;
  }

  async #load(): Promise<void> {
    await this.#fetch({}, []);
  }

  async #loadMore(): Promise<void> {
    if (this.#cursor !== null) await this.#fetch({ cursor: this.#cursor }, this.#letters);
  }

  async #fetch(from: { readonly cursor?: string }, before: readonly DeadLetterSummary[]): Promise<void> {
    const mine = ++this.#fetched;
    try {
      const list = await ask('deadLetters', { limit: SHOWN, ...this.#filter.chosen(), ...from });
      if (mine === this.#fetched) this.#show(list, [...before, ...list.letters]);
    } catch (error) {
      if (!(error instanceof CancelledError)) setText(this.#note, sentenceOf(error));
    }
  }

  #show(list: DeadLetterList, letters: readonly DeadLetterSummary[]): void {
    this.#letters = letters;
    this.#cursor = list.cursor;
    const replayOne = (key: string): Promise<void> => this.#replay({ ids: [key] });
    this.#table.show(letters.map((letter) => ({ key: letter.key, cells: cellsOf(letter, replayOne) })));
    setText(this.#empty, list.total === 0 ? 'There are no dead letters.' : 'None found.');
    gate(this.#all, list.total > 0);
    this.#more.hidden = list.cursor === null;
    setText(byId('dead-looked'), lookedText(list));
  }

  async #replayAll(): Promise<void> {
    if (!(await confirmed(questionFor(this.#filter.words(), this.#total)))) return;
    await this.#replay({ ...this.#filter.chosen(), all: true });
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
}

/** Nothing when all were looked at. */
function lookedText({ looked_at: looked, total, unmoved }: DeadLetterList): string {
  const texts = [
    looked < total - unmoved ? `Looked at ${format.count(looked)} of ${format.count(total)}.` : '',
    unmoved > 0 ? `${format.count(unmoved)} of an earlier version are being moved and are not listed yet.` : '',
  ];
  return texts.filter((text) => text !== '').join(' ');
}

function cellsOf(letter: DeadLetterSummary, replay: (key: string) => Promise<void>) {
  return [
    printable(letter.message_id ?? format.UNKNOWN, 255),
    printable(letter.reason, 80),
    printable(letter.last_failure ? `${letter.error}, at last ${letter.last_failure.reason}` : letter.error, 200),
    format.dateTime(letter.dead_at),
    format.count(letter.attempt_count),
    format.bytes(letter.size_bytes),
    printable(letter.worker_id, 80),
    (cell: HTMLTableCellElement) => {
      if (cell.childElementCount > 0) return;
      const named = printable(letter.message_id ?? letter.key, 255);
      const details = gate(make('button', { type: 'button' }, 'Details'));
      const again = gate(make('button', { type: 'button' }, 'Replay'));
      setAttribute(details, 'aria-label', `Details of ${named}`);
      setAttribute(again, 'aria-label', `Replay ${named}`);
      details.onclick = () => void showLetter(letter, replay);
      again.onclick = () => void replay(letter.key);
      cell.append(make('span', { class: 'buttons' }, details, again));
    },
  ];
}

function questionFor(words: string, total: number | undefined): string {
  const all = `all dead letters${total === undefined ? '' : ` (${format.count(total)})`}`;
  const which = words === '' ? all : `all dead letters of ${words}`;
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
