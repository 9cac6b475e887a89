/** Which dead letters are meant: what was chosen and typed above the table. */
import { byId, make } from '../elements.js';
import { DEAD_LETTER_REASONS } from '../shared/dead-letter-reasons.js';
import { printable } from '../shared/escape.js';
import type { DeadLetterFields } from '../shared/protocol.js';
import { gate } from '../token-gate.js';

const TYPED = ['client', 'domain', 'text'] as const;

export class LetterFilter {
  readonly #reason = byId<HTMLSelectElement>('dead-reason');
  readonly #typed = TYPED.map((name) => [name, byId<HTMLInputElement>(`dead-${name}`)] as const);

  constructor(onChange: () => void) {
    this.#reason.append(...DEAD_LETTER_REASONS.map((reason) => make('option', { value: reason }, reason)));
    this.#reason.onchange = onChange;
    // it would tell what is in messages
    gate(byId<HTMLInputElement>('dead-text'));
    for (const [, input] of this.#typed) input.onchange = onChange;
  }

  chosen(): DeadLetterFields {
    return Object.fromEntries(this.#entries());
  }

  /** Empty = all. */
  words(): string {
    return this.#entries()
      .map(([name, value]) => `${name} ${printable(value, 80)}`)
      .join(', ');
  }

  #entries(): (readonly [string, string])[] {
    const all = [
      ['reason', this.#reason.value] as const,
      ...this.#typed.map(([name, { value }]) => [name, value] as const),
    ];
    return all.filter(([, value]) => value !== '');
  }
}
