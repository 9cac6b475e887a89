import type { Buffer } from 'node:buffer';
import { readDeadLetter } from '../../domain/dead-letters/dead-letter.js';
import { indexLine } from '../../domain/dead-letters/index-line.js';
import type { RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';
import { BEGINNING_BYTES, entryOf, WHOLE_BYTES, type DeadLetterEntry } from './entry.js';
import { walkStep, type Cursor } from './index-walk.js';

const readScript = redisScript('dead-letters/read');

const PLACE = /^[1-9]\d{0,8}$/;
/** Of a burial, and of what was moved here from the list of an earlier version. */
const UNIQUE = /^[0-9a-f]{12}(-[0-9a-z]{1,12}|\.\d{1,15})$/;
/** As earlier versions showed it: the first of the letters with this hash. */
const EARLIER_KEY = /^[0-9a-f]{12}$/;

/** One dead letter by its name, at any number of them. */
export class LetterReader {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** @param name place, key or message id. */
  async find(name: string, whole: boolean): Promise<DeadLetterEntry | undefined> {
    if (PLACE.test(name)) return this.#read({ place: Number(name) }, whole);
    const [resolved = name] = await this.resolve([name]);
    const found = UNIQUE.test(resolved) ? await this.#read({ unique: resolved }, whole) : undefined;
    return found ?? this.#search(name, whole);
  }

  /** The letters of these keys, without a walk; undefined when one of them is no key of a letter. */
  async named(names: readonly string[]): Promise<readonly DeadLetterEntry[] | undefined> {
    const entries = new Map<string, DeadLetterEntry>();
    for (const name of names) {
      const entry = UNIQUE.test(name) ? await this.#read({ unique: name }, false) : undefined;
      if (!entry) return undefined;
      entries.set(entry.unique, entry);
    }
    return [...entries.values()].sort((one, other) => other.place - one.place);
  }

  async resolve(names: readonly string[]): Promise<string[]> {
    const resolved: string[] = [];
    for (const name of names) {
      const first = `${name}.1`;
      const isKey =
        EARLIER_KEY.test(name) && (await this.#connection.call('HEXISTS', this.#keys.deadLetters, first)) === 1;
      resolved.push(isKey ? first : name);
    }
    return resolved;
  }

  async #read(
    { unique = '', place = 0 }: { readonly unique?: string; readonly place?: number },
    whole: boolean,
  ): Promise<DeadLetterEntry | undefined> {
    const { deadIndex, deadLetters } = this.#keys;
    const most = whole ? Number.MAX_SAFE_INTEGER : WHOLE_BYTES;
    const args = [unique, place, most, BEGINNING_BYTES];
    const reply = await readScript.run(this.#connection, [deadIndex, deadLetters], args);
    const [found, storedBytes, stored] = reply as [Buffer, number, Buffer];
    if (storedBytes < 0) return undefined;
    const line = indexLine(String(found), readDeadLetter(stored, storedBytes));
    const rank = (await this.#connection.call('ZREVRANK', deadIndex, line)) as number | null;
    if (rank !== null) return entryOf({ line, place: rank + 1, stored, storedBytes });
    // the line was made of more of the letter than was read now
    const match = await this.#first(String(found));
    return match && entryOf({ ...match, stored, storedBytes });
  }

  async #search(messageId: string, whole: boolean): Promise<DeadLetterEntry | undefined> {
    const match = await this.#first(messageId);
    return match && this.#read({ unique: match.line.split(' ')[0] ?? '' }, whole);
  }

  /** The newest of this message id or unique. */
  async #first(name: string): Promise<{ readonly line: string; readonly place: number } | undefined> {
    for (let after: Cursor | undefined; ;) {
      const step = await walkStep(this.#connection, this.#keys, {
        towards: 'older',
        after,
        filter: { ids: [name] },
        lowest: '-inf',
        highest: '+inf',
        mostMatches: 1,
        withLetters: false,
      });
      const [match] = step.matches;
      if (match || step.isLast) return match;
      after = step.last;
    }
  }
}
