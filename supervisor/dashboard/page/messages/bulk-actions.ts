/** The buttons above a list: what is done to those that are picked, or to all that the filter means. */
import { byId, make, setText } from '../elements.js';
import { gate } from '../token-gate.js';
import { ACTIONS, type Action } from './actions.js';
import { PLACES, type Place } from './places.js';

interface BulkOptions {
  readonly doIt: (action: Action) => void;
  readonly pickAll: (isAll: boolean) => void;
}

interface Now {
  readonly picked: number;
  readonly isFiltered: boolean;
  readonly areShown: boolean;
  /** Also of those that are not shown yet. */
  readonly areThere: boolean;
}

export class BulkActions {
  readonly #options: BulkOptions;
  readonly #place = byId('messages-actions');
  readonly #pick = make('button', { type: 'button', 'data-testid': 'select-shown' });
  #buttons: readonly (readonly [Action, HTMLButtonElement])[] = [];

  constructor(options: BulkOptions) {
    this.#options = options;
  }

  /** Made anew only then: a button that somebody is about to press, or has the focus, stays. */
  placeIs(place: Place): void {
    const { doIt } = this.#options;
    this.#buttons = PLACES[place].actions.map((action) => {
      const button = make('button', { type: 'button', 'data-testid': `${action}-many` });
      button.onclick = () => doIt(action);
      return [action, button];
    });
    this.#place.replaceChildren(
      ...(this.#buttons.length > 0 ? [this.#pick] : []),
      ...this.#buttons.map(([, it]) => it),
    );
  }

  show({ picked, isFiltered, areShown, areThere }: Now): void {
    setText(this.#pick, picked > 0 ? 'Select none' : 'Select shown');
    this.#pick.onclick = () => this.#options.pickAll(picked === 0);
    gate(this.#pick, areShown);
    const which = picked > 0 ? `${picked} selected` : isFiltered ? 'all that match' : 'all';
    for (const [action, button] of this.#buttons) {
      setText(button, `${ACTIONS[action].button} ${which}`);
      gate(button, areThere);
    }
  }
}
