/** Which of the messages shown are picked, each by the name that an action takes. */
import { make } from '../elements.js';
import { gate } from '../token-gate.js';

export class Selection {
  readonly #names = new Set<string>();
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get names(): readonly string[] {
    return [...this.#names];
  }

  get size(): number {
    return this.#names.size;
  }

  clear(): void {
    this.keep(new Set());
  }

  /** What is shown no more is not picked any more: nobody acts on what he does not see. */
  keep(shown: ReadonlySet<string>): void {
    for (const name of this.#names) if (!shown.has(name)) this.#names.delete(name);
    this.#onChange();
  }

  pick(names: Iterable<string>): void {
    for (const name of names) this.#names.add(name);
    this.#onChange();
  }

  /** @param called for those who do not see what stands beside it. */
  box(name: string, called: string): HTMLInputElement {
    const box = gate(make('input', { type: 'checkbox', 'aria-label': `Select ${called}` }));
    this.mark(box, name);
    box.onchange = () => {
      if (box.checked) this.#names.add(name);
      else this.#names.delete(name);
      this.#onChange();
    };
    return box;
  }

  mark(box: HTMLInputElement, name: string): void {
    box.checked = this.#names.has(name);
  }
}
