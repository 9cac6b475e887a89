import { Buffer } from 'node:buffer';
import type { StoredDeadLetter } from '../dead-letters/dead-letter.js';
import { fieldsOfBeginning } from '../scanned-texts.js';
import { isFailureReason, type FailureReason } from '../delivery-outcome.js';
import type { MessageFilter } from './message-filter.js';

type Letter = Pick<StoredDeadLetter, 'raw' | 'error'>;

/** Undefined = the letters need not be read. */
export function searchOf({ text, answer, reason }: MessageFilter): LetterSearch | undefined {
  // why a letter died stands in the index already
  const attempt = reason !== undefined && isFailureReason(reason) ? reason : undefined;
  if (text === undefined && answer === undefined && attempt === undefined) return undefined;
  return new LetterSearch(text, answer, attempt);
}

/** Whether texts stand in letters: asked of up to a million of them, so the cheapest question comes first. */
class LetterSearch {
  readonly #text: Needle | undefined;
  readonly #answer: Needle | undefined;
  readonly #reason: Needle | undefined;

  constructor(text: string | undefined, answer: string | undefined, reason: FailureReason | undefined) {
    this.#text = text === undefined ? undefined : new Needle(text);
    this.#answer = answer === undefined ? undefined : new Needle(answer);
    this.#reason = reason === undefined ? undefined : new Needle(reason);
  }

  /** @param letter read only when the text can be in it. */
  isIn(stored: Buffer, letter: () => Letter | undefined): boolean {
    if (this.#text && !this.#text.mayBeIn(stored)) return false;
    if (this.#reason && !(this.#reason.mayBeIn(stored) && lastOf(stored, 'reason') === this.#reason.text)) return false;
    if (this.#answer && !(this.#answer.mayBeIn(stored) && lastOf(stored, 'answer').includes(this.#answer.text)))
      return false;
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

/** Of the last failed attempt; empty when the letter does not tell. */
function lastOf(stored: Buffer, name: 'answer' | 'reason'): string {
  const { failures } = fieldsOfBeginning(stored.subarray(0, FAILURES_BYTES), ['failures']);
  const last: unknown = Array.isArray(failures) ? failures.at(-1) : undefined;
  const text: unknown = typeof last === 'object' && last !== null ? Reflect.get(last, name) : undefined;
  return typeof text === 'string' ? text : '';
}
