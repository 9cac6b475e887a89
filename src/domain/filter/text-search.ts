import { Buffer } from 'node:buffer';
import type { StoredDeadLetter } from '../dead-letters/dead-letter.js';
import { fieldsOfBeginning } from '../scanned-texts.js';
import type { MessageFilter } from './message-filter.js';

type Letter = Pick<StoredDeadLetter, 'raw' | 'error'>;

/** Undefined = the letters need not be read. */
export function searchOf({ text, answer }: MessageFilter): LetterSearch | undefined {
  return text === undefined && answer === undefined ? undefined : new LetterSearch(text, answer);
}

/** Whether texts stand in letters: asked of up to a million of them, so the cheapest question comes first. */
class LetterSearch {
  readonly #text: Needle | undefined;
  readonly #answer: Needle | undefined;

  constructor(text: string | undefined, answer: string | undefined) {
    this.#text = text === undefined ? undefined : new Needle(text);
    this.#answer = answer === undefined ? undefined : new Needle(answer);
  }

  /** @param letter read only when the text can be in it. */
  isIn(stored: Buffer, letter: () => Letter | undefined): boolean {
    if (this.#text && !this.#text.mayBeIn(stored)) return false;
    if (this.#answer && !(this.#answer.mayBeIn(stored) && lastAnswer(stored).includes(this.#answer.text))) return false;
    return !this.#text || isTextIn(this.#text, stored, letter());
  }
}

function isTextIn({ bytes }: Needle, stored: Buffer, letter: Letter | undefined): boolean {
  if (!letter) return stored.includes(bytes);
  return letter.raw.includes(bytes) || Buffer.from(letter.error, 'utf8').includes(bytes);
}

class Needle {
  readonly bytes: Buffer;
  readonly #asJson: Buffer;

  constructor(readonly text: string) {
    this.bytes = Buffer.from(text, 'utf8');
    this.#asJson = Buffer.from(JSON.stringify(text).slice(1, -1), 'utf8');
  }

  mayBeIn(stored: Buffer): boolean {
    return stored.includes(this.#asJson) || stored.includes(this.bytes);
  }
}

/** The failures stand before all else in an envelope: five of them, with answers of 200 characters. */
const FAILURES_BYTES = 65_536;

/** What the main server said last; empty when the letter does not tell. */
function lastAnswer(stored: Buffer): string {
  const { failures } = fieldsOfBeginning(stored.subarray(0, FAILURES_BYTES), ['failures']);
  const last: unknown = Array.isArray(failures) ? failures.at(-1) : undefined;
  const answer = typeof last === 'object' && last !== null && 'answer' in last ? last.answer : undefined;
  return typeof answer === 'string' ? answer : '';
}
