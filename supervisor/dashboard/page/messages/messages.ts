/**
 * Messages in hand: found by id, listed by the place where they are, page by page, and acted on. A list is loaded when it is
 * opened; while it shows one page and nothing in it is picked, it follows the number of its place.
 */
import { ask, CancelledError, RefusedError } from '../admin-requests.js';
import { byId, setAttribute, setText } from '../elements.js';
import * as format from '../format.js';
import { printable } from '../../../../src/shared/words/escape.js';
import type { DeadLetterFields, MessageList, MessageSummary } from '../../../admin/protocol.js';
import { gate } from '../token-gate.js';
import { act, type Action, type Meant } from './actions.js';
import { BulkActions } from './bulk-actions.js';
import { showMessage } from './message-dialog.js';
import { MessageFilter } from './message-filter.js';
import { createMessageTable } from './message-table.js';
import { nameFor, PLACES, type Place } from './places.js';
import { Selection } from './selection.js';

const SHOWN = 50;
/** A list that follows is asked for at most this often. */
const FOLLOWS_MS = 5_000;

/** How many are where; null = Redis is away. */
type Sizes = Readonly<Record<Place, number | null>>;

export class Messages {
  readonly #selection = new Selection(() => this.#showActions());
  readonly #filter = new MessageFilter(() => void this.#load());
  readonly #bulk = new BulkActions({
    doIt: (action) => void this.#do(action, this.#meant()),
    pickAll: (isAll) => this.#pickAll(isAll),
  });
  readonly #table = createMessageTable(byId('messages-panel'), {
    selection: this.#selection,
    show: (message) => void this.#showOne(message),
    doIt: (action, names) => void this.#do(action, { names }),
  });
  readonly #note = byId('messages-note');
  readonly #undo = byId<HTMLButtonElement>('messages-undo');
  readonly #tabs = [...document.querySelectorAll<HTMLButtonElement>('[data-place]')];
  #sizes: Sizes | undefined;
  #place: Place | undefined;
  #messages: readonly MessageSummary[] = [];
  #next: string | null = null;
  #asked = 0;
  #loaded = { at: 0, size: null as number | null };

  constructor() {
    for (const tab of this.#tabs) tab.onclick = () => this.open(tab.dataset['place'] as Place);
    byId('messages-more').onclick = () => void this.#loadMore();
    byId('messages-refresh').onclick = () => void this.#load();
    byId('find').onsubmit = (event) => {
      event.preventDefault();
      void this.find(byId<HTMLInputElement>('find-id').value.trim());
    };
    gate(byId<HTMLInputElement>('find-id'));
    gate(byId<HTMLButtonElement>('find-go'));
  }

  sizesAre(sizes: Sizes): void {
    this.#sizes = sizes;
    for (const tab of this.#tabs) {
      const place = tab.dataset['place'] as Place;
      setText(tab, `${PLACES[place].name} ${format.count(sizes[place])}`);
    }
    const size = this.#place === undefined ? null : sizes[this.#place];
    const isBehind = size !== null && size !== this.#loaded.size && Date.now() - this.#loaded.at >= FOLLOWS_MS;
    // nor is anybody interrupted who is asked something
    if (document.querySelector('dialog[open]')) return;
    // who has gone further, or has picked some, is not taken back to the first page
    if (isBehind && this.#messages.length <= SHOWN && this.#selection.size === 0) void this.#load();
  }

  /** @param which in place of what was filtered by before. */
  open(place: Place, which?: DeadLetterFields): void {
    this.#place = place;
    this.#bulk.placeIs(place);
    this.#filter.offerReasons(PLACES[place].reasons);
    if (which) this.#filter.choose(which);
    for (const tab of this.#tabs) setAttribute(tab, 'aria-pressed', String(tab.dataset['place'] === place));
    byId('messages-list').hidden = false;
    this.#say('');
    this.#show([], 'Loading …');
    void this.#load();
  }

  async find(id: string): Promise<void> {
    if (id === '') return;
    // among a million that wait it takes seconds
    setText(byId('find-note'), 'Looking …');
    await showMessage({ id }, (action, names) => void this.#do(action, { names }));
    setText(byId('find-note'), '');
  }

  #showOne(message: MessageSummary): Promise<void> {
    if (message.place !== 'dead') return this.find(message.message_id ?? '');
    return showMessage({ key: message.key }, (action, names) => void this.#do(action, { names }));
  }

  async #load(): Promise<void> {
    await this.#fetch({}, []);
  }

  async #loadMore(): Promise<void> {
    if (this.#next !== null) await this.#fetch({ after: this.#next }, this.#messages);
  }

  async #fetch(from: { readonly after?: string }, before: readonly MessageSummary[]): Promise<void> {
    const place = this.#place;
    if (place === undefined) return;
    const mine = ++this.#asked;
    this.#loaded = { at: Date.now(), size: this.#sizes?.[place] ?? null };
    try {
      const list = await ask('messages', { in: place, limit: SHOWN, ...this.#filter.chosen(), ...from });
      if (mine === this.#asked) this.#showList(place, list, [...before, ...list.messages]);
    } catch (error) {
      if (mine !== this.#asked || (error instanceof CancelledError && before.length > 0)) return;
      // asked for again when somebody wants it, and not with the next number that changes
      if (error instanceof CancelledError) this.#loaded = { at: Infinity, size: null };
      const why =
        error instanceof CancelledError ? 'Not shown: no token was given.' : `Not known: ${sentenceOf(error)}`;
      this.#show([], why);
    }
  }

  #showList(place: Place, list: MessageList, messages: readonly MessageSummary[]): void {
    const isPart = list.next !== null;
    const none = list.total === 0 ? PLACES[place].empty : isPart ? 'None found so far.' : 'None matches.';
    this.#show(messages, none, list.next);
    const shown = `${format.count(messages.length)} of ${format.count(list.total)} shown, ${PLACES[place].order}.`;
    const looked =
      isPart && list.messages.length < SHOWN ? ` Looked at ${format.count(list.looked_at)} this time.` : '';
    setText(byId('messages-looked'), messages.length === 0 && !isPart ? '' : shown + looked);
  }

  #show(messages: readonly MessageSummary[], none: string, next: string | null = null): void {
    this.#messages = messages;
    this.#next = next;
    this.#selection.keep(new Set(messages.map(nameFor).filter((name) => name !== undefined)));
    this.#table.show(messages, none);
    byId('messages-more').hidden = next === null;
    setText(byId('messages-looked'), '');
  }

  #showActions(): void {
    this.#bulk.show({
      picked: this.#selection.size,
      isFiltered: this.#filter.words() !== '',
      areShown: this.#messages.length > 0,
      areThere: this.#messages.length > 0 || this.#next !== null,
    });
  }

  #pickAll(isAll: boolean): void {
    if (isAll) this.#selection.pick(this.#messages.map(nameFor).filter((name) => name !== undefined));
    else this.#selection.clear();
    for (const box of byId('messages-panel').querySelectorAll<HTMLInputElement>('input')) box.checked = isAll;
  }

  #meant(): Meant {
    if (this.#selection.size > 0) return { names: this.#selection.names };
    return { filter: this.#filter.chosen(), words: this.#filter.words() };
  }

  async #do(action: Action, meant: Meant): Promise<void> {
    try {
      const done = await act(action, meant);
      if (!done) return;
      this.#say(done.text, done.undo);
      this.#selection.clear();
    } catch (error) {
      if (error instanceof CancelledError) return;
      this.#say(sentenceOf(error));
    }
    await this.#load();
  }

  #say(text: string, undo?: () => Promise<string>): void {
    setText(this.#note, text);
    this.#undo.hidden = undo === undefined;
    this.#undo.onclick = () => {
      this.#undo.hidden = true;
      void undo?.()
        .catch(sentenceOf)
        .then((came) => this.#say(came))
        .then(() => this.#load());
    };
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof CancelledError) return '';
  return error instanceof RefusedError
    ? printable(error.message, 300)
    : 'The answer of the supervisor could not be read.';
}
