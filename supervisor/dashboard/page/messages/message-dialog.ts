/** All that is known of one message, which only the token opens: messages are not for everybody who may see the page. */
import { ask, CancelledError, RefusedError } from '../admin-requests.js';
import { byId, make, setText } from '../elements.js';
import * as format from '../format.js';
import { printable } from '../../../../src/shared/words/escape.js';
import type { DeadLetterDetails, FailureDocument, MessageCopy, MessageDetails } from '../../../admin/protocol.js';
import { prettyJson } from './pretty-json.js';
import { ACTIONS, type Action } from './actions.js';
import { nameFor, planOf } from './places.js';
import { attemptText, sentenceOf } from './words.js';

type Doer = (action: Action, names: readonly string[]) => void;

/** The letter of this key, or every copy of the message of this id. Shows what it found, or why nothing. */
export async function showMessage(
  wanted: { readonly key: string } | { readonly id: string },
  doIt: Doer,
): Promise<void> {
  const dialog = byId<HTMLDialogElement>('message');
  try {
    if ('key' in wanted) showLetter(await ask('deadLetter', { letter: wanted.key }), doIt);
    else showCopies(await ask('message', { id: wanted.id }), doIt);
  } catch (error) {
    if (error instanceof CancelledError) return;
    const why = error instanceof RefusedError ? printable(error.message, 400) : 'The message could not be read.';
    fill({ title: 'key' in wanted ? 'Dead letter' : printable(wanted.id, 255), why });
  }
  if (!dialog.open) dialog.showModal();
}

function showLetter(letter: DeadLetterDetails, doIt: Doer): void {
  const { number, key, reason, error, dead_at: deadAt, ...rest } = letter;
  const copy = { ...rest, place: 'dead' as const, number, key, reason, error, dead_at: deadAt, queued_at: null };
  const [title, where] = [letter.message_id, letter.worker_id];
  fill({
    title: printable(title ?? format.UNKNOWN, 255),
    copies: [copyElement(copy, doIt, where)],
    failures: letter.failures,
  });
}

function showCopies({ message_id: id, places, failures }: MessageDetails, doIt: Doer): void {
  const nowhere =
    'It is not in Redis: delivered, removed, or never seen. On a host that had it the log says more: ' +
    `message-broker-worker message show ${printable(id, 255)}`;
  fill({
    title: printable(id, 255),
    ...(places.length === 0 ? { why: nowhere } : {}),
    copies: places.map((copy) => copyElement(copy, doIt)),
    failures,
  });
}

interface Content {
  readonly title: string;
  /** Why nothing is shown, if nothing is. */
  readonly why?: string;
  readonly copies?: readonly Node[];
  readonly failures?: readonly FailureDocument[];
}

function fill({ title, why = '', copies = [], failures = [] }: Content): void {
  setText(byId('message-title'), title);
  setText(byId('message-why'), why);
  byId('message-copies').replaceChildren(...copies);
  // the newest first: it is the one that counts
  const items = failures.map((failure) => make('li', {}, attemptText(failure)));
  byId('message-failures').replaceChildren(...items.reverse());
  byId('message-failed').hidden = failures.length === 0;
}

function copyElement(copy: MessageCopy, doIt: Doer, workerId = ''): Node {
  const raw = copy.message ?? copy.message_base64 ?? '';
  const note = make('span', { class: 'note', role: 'status' });
  const pre = make('pre', { tabindex: '0', 'data-testid': 'message-body' }, shownText(copy));
  const copying = make('button', { type: 'button' }, 'Copy');
  copying.onclick = () => void copyText(raw, pre, note);
  return make(
    'div',
    { class: 'copy' },
    make('p', { 'data-testid': 'message-where' }, `${sentenceOf(copy, Date.now())}.`.replace(/\.\.$/, '.')),
    make('dl', { class: 'facts' }, ...factsOf(copy, workerId)),
    pre,
    make('div', { class: 'actions' }, note, copying, ...buttonsFor(copy, doIt)),
  );
}

function buttonsFor(copy: MessageCopy, doIt: Doer): readonly Node[] {
  const name = nameFor(copy);
  if (name === undefined) return [];
  return planOf(copy).actions.map((action) => {
    const button = make('button', { type: 'button' }, ACTIONS[action].button);
    button.onclick = () => {
      byId<HTMLDialogElement>('message').close();
      doIt(action, [name]);
    };
    return button;
  });
}

function shownText({ message, message_base64: base64, message_truncated: cut }: MessageCopy): string {
  const text =
    message === undefined ? `(not UTF-8; in base64)\n${base64 ?? ''}` : lines(prettyJson(message) ?? message);
  return cut ? `${text}\n… (cut; on the command line "message show" and "dead show" print the whole)` : text;
}

/** Line ends stay, everything else that cannot be seen is written out. */
function lines(message: string): string {
  return message
    .split('\n')
    .map((line) => printable(line, Infinity))
    .join('\n');
}

/** As it was sent. Without a clipboard (a page that came over plain HTTP from another host has none) it is marked. */
async function copyText(raw: string, shown: HTMLElement, note: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(raw);
    setText(note, 'Copied as it lies in Redis.');
  } catch {
    getSelection()?.selectAllChildren(shown);
    setText(note, 'Marked; the browser copies it with Ctrl+C.');
  }
}

function factsOf(copy: MessageCopy, workerId: string): Node[] {
  const facts: readonly (readonly [string, string])[] = [
    ['Client', printable(copy.client_id ?? format.UNKNOWN, 255)],
    ['Domain', printable(copy.domain ?? format.UNKNOWN, 255)],
    ['Failed attempts', format.count(copy.attempt_count)],
    ['Size', format.bytes(copy.size_bytes)],
    ...(copy.place === 'dead'
      ? ([
          ['Died', format.dateTime(copy.dead_at)],
          ['Key', copy.key],
        ] as const)
      : ([['Queued', format.dateTime(copy.queued_at)]] as const)),
    ...(workerId === '' ? [] : ([['Worker', printable(workerId, 80)]] as const)),
  ];
  return facts.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value)));
}
