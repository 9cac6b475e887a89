/**
 * On a narrow screen the six plots stand below each other, 1,100 px of them before the workers. While something is wrong they fold away
 * there; they do not come back by themselves, since nobody wants the page to move while he reads. A click decides for good.
 */
import { byId, setAttribute, setText } from '../elements.js';

export class Fold {
  readonly #button = byId<HTMLButtonElement>('plots-fold');
  readonly #parts = ['plots', 'plots-range', 'plots-under'].map((id) => byId(id));
  readonly #narrow = matchMedia('(max-width: 720px)');
  #isDecided = false;
  #isOpen = true;

  constructor() {
    this.#button.onclick = () => {
      this.#isDecided = true;
      this.#show(!this.#isOpen);
    };
    // turned to its side, a phone has room for them
    this.#narrow.onchange = ({ matches }) => {
      if (!matches && !this.#isDecided) this.#show(true);
    };
  }

  /** With each status. */
  flows(isWell: boolean): void {
    if (!isWell && this.#narrow.matches && !this.#isDecided) this.#show(false);
  }

  #show(isOpen: boolean): void {
    if (isOpen === this.#isOpen) return;
    this.#isOpen = isOpen;
    for (const part of this.#parts) part.hidden = !isOpen;
    setText(this.#button, isOpen ? 'Hide the plots' : 'Show the plots');
    setAttribute(this.#button, 'aria-expanded', String(isOpen));
  }
}
