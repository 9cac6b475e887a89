/** The dead letters: the newest of them, one with its message, and back to the queue with one or all of a reason. */
import { adminRequest, CancelledError, openRequest, RefusedError } from '../admin-requests.js';
import { byId, make, setAttribute, setText } from '../elements.js';
import { printable } from '../escape.js';
import * as format from '../format.js';
import { showLetter } from './letter-dialog.js';
import type { LetterList, LetterSummary } from './letters.js';
import { createTable } from '../tables/table.js';

const SHOWN = 50;
const REASONS = ['malformed', 'max_attempts_exceeded', 'poison'];
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

export interface DeadLetters {
  /** @param total undefined = Redis is away. */
  totalIs(total: number | undefined): void;
}

export function createDeadLetters(): DeadLetters {
  const table = createTable(byId('dead-panel'), {
    caption: 'Dead letters, the newest first',
    columns: COLUMNS,
    empty: 'There are no dead letters.',
    testid: 'dead',
  });
  const filter = byId<HTMLSelectElement>('dead-reason');
  const all = byId<HTMLButtonElement>('replay-all');
  const note = byId('dead-note');
  let total: number | undefined;
  let fetched = 0;

  filter.append(...REASONS.map((reason) => make('option', { value: reason }, reason)));
  filter.onchange = () => void load();
  all.onclick = () =>
    void confirmed(questionFor(filter.value, total)).then((yes) => (yes ? replay(chosen()) : undefined));

  function chosen(): object {
    return filter.value === '' ? {} : { reason: filter.value };
  }

  async function load(): Promise<void> {
    const mine = ++fetched;
    const reason = filter.value === '' ? '' : `&reason=${filter.value}`;
    try {
      const list = await openRequest<LetterList>(`dead?limit=${SHOWN}${reason}`);
      if (mine === fetched) show(list);
    } catch (error) {
      setText(note, sentenceOf(error));
    }
  }

  function show({ letters, has_more: more }: LetterList): void {
    table.show(letters.map((letter) => ({ key: letter.key, cells: cellsOf(letter, replayOne) })));
    all.disabled = letters.length === 0;
    const rest = more ? `The newest ${letters.length} are shown; message-broker-worker dead list shows more.` : '';
    byId('dead-panel').setAttribute('data-more', rest);
  }

  function replayOne(key: string): Promise<void> {
    return replay({ ids: [key] });
  }

  async function replay(which: object): Promise<void> {
    try {
      const { done } = await adminRequest<{ readonly done: number }>('dead/replay', which);
      setText(note, `${format.count(done)} back in the queue.`);
    } catch (error) {
      if (!(error instanceof CancelledError)) setText(note, sentenceOf(error));
    }
    await load();
  }

  return {
    totalIs(now) {
      if (now === total) return;
      total = now;
      if (now !== undefined) void load();
    },
  };
}

function cellsOf(letter: LetterSummary, replay: (key: string) => Promise<void>) {
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
