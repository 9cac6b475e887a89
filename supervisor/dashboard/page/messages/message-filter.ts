/** Which messages are meant: what was chosen and typed above the list. */
import { byId, make } from '../elements.js';
import * as format from '../format.js';
import { printable } from '../../../../src/shared/words/escape.js';
import type { DeadLetterFields } from '../../../admin/protocol.js';
import { gate } from '../token-gate.js';

const FIELDS = ['reason', 'client', 'domain', 'id_prefix', 'text', 'answer', 'older_than_seconds'] as const;
/** An answer to them tells what is in messages. */
const GATED: ReadonlySet<string> = new Set(['text', 'answer']);

type Name = (typeof FIELDS)[number];
type Value = string | number;

export class MessageFilter {
  readonly #inputs = new Map(
    FIELDS.map((name) => [name, byId<HTMLInputElement | HTMLSelectElement>(`message-${name.replaceAll('_', '-')}`)]),
  );

  constructor(onChange: () => void) {
    for (const [name, input] of this.#inputs) {
      input.onchange = onChange;
      if (GATED.has(name)) gate(input);
    }
  }

  /** A reason that does not exist there is not meant any more. */
  offerReasons(reasons: readonly string[]): void {
    const select = this.#inputs.get('reason');
    const chosen = select?.value ?? '';
    select?.replaceChildren(
      make('option', { value: '' }, 'all'),
      ...reasons.map((reason) => make('option', { value: reason }, reason)),
    );
    if (select) select.value = reasons.includes(chosen) ? chosen : '';
  }

  /** In place of what was chosen before. */
  choose(fields: DeadLetterFields): void {
    for (const [name, input] of this.#inputs) input.value = String(fields[name] ?? '');
  }

  chosen(): DeadLetterFields {
    return Object.fromEntries(this.#entries());
  }

  /** Empty = all. */
  words(): string {
    return this.#entries()
      .map(([name, value]) =>
        name === 'older_than_seconds'
          ? `older than ${format.longDuration(Number(value))}`
          : `${name.replace('_', ' ')} ${printable(String(value), 80)}`,
      )
      .join(', ');
  }

  #entries(): (readonly [Name, Value])[] {
    return [...this.#inputs]
      .filter(([, { value, disabled }]) => value !== '' && !disabled)
      .map(([name, { value }]) => [name, name === 'older_than_seconds' ? Number(value) : value]);
  }
}
