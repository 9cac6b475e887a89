import { Buffer } from 'node:buffer';
import type { StoredDeadLetter } from './dead-letter.js';

/** Which dead letters are meant; what is left out restricts nothing. All but `text` is found without reading a body. */
export interface DeadLetterFilter {
  readonly reason?: string;
  /** `client_id` of the message. */
  readonly client?: string;
  readonly domain?: string;
  /** Dead for at least this long. */
  readonly olderThanMs?: number;
  /** Dead for at most this long. */
  readonly newerThanMs?: number;
  /** Message ids or keys of letters. */
  readonly ids?: readonly string[];
  /** Stands in the message or in the error, upper and lower case as it is. */
  readonly text?: string;
}

export function isUnfiltered(filter: DeadLetterFilter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}

/** Whether a text stands in letters: asked of up to a million of them, so the cheapest question comes first. */
export class TextSearch {
  readonly #text: Buffer;
  readonly #asJson: Buffer;

  constructor(text: string) {
    this.#text = Buffer.from(text, 'utf8');
    this.#asJson = Buffer.from(JSON.stringify(text).slice(1, -1), 'utf8');
  }

  /** @param letter read only when the text can be in it. */
  isIn(stored: Buffer, letter: () => Pick<StoredDeadLetter, 'raw' | 'error'> | undefined): boolean {
    if (!stored.includes(this.#asJson) && !stored.includes(this.#text)) return false;
    const read = letter();
    if (!read) return stored.includes(this.#text);
    return read.raw.includes(this.#text) || Buffer.from(read.error, 'utf8').includes(this.#text);
  }
}
