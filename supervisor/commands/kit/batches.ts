import { EXIT_FAILURE, RedisUnavailableError, reasonOf } from '../../../src/shared/errors.js';
import { BadLineError } from './checked-lines.js';
import { CommandError } from './command.js';

/** In one command to Redis, and the bytes after which it goes. */
const MOST = 500;
const MOST_BYTES = 1_048_576;

interface BatchesOptions<T> {
  readonly bytesOf: (value: T) => number;
  readonly take: (batch: readonly T[]) => Promise<void>;
  /** What they are and what was done with them, as in "messages" and "sent". */
  readonly words: { readonly one: string; readonly many: string; readonly done: string };
}

/** Gives values to Redis in batches and knows at each moment what is done. */
export class Batches<T> {
  readonly #options: BatchesOptions<T>;
  #batch: T[] = [];
  #bytes = 0;
  #done = 0;

  constructor(options: BatchesOptions<T>) {
    this.#options = options;
  }

  /** Rejects with an error that says what was done before. */
  async takeAll(values: Iterable<T> | AsyncIterable<T>): Promise<void> {
    try {
      for await (const value of values) {
        this.#batch.push(value);
        this.#bytes += this.#options.bytesOf(value);
        if (this.#batch.length >= MOST || this.#bytes >= MOST_BYTES) await this.#flush();
      }
      await this.#flush();
    } catch (error) {
      if (error instanceof BadLineError) await this.#flush();
      throw this.#explained(error);
    }
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.length > 0) await this.#options.take(batch);
    this.#batch = [];
    this.#bytes = 0;
    this.#done += batch.length;
  }

  #explained(error: unknown): unknown {
    const { done } = this.#options.words;
    if (error instanceof BadLineError) {
      const before = this.#done === 0 ? `Nothing was ${done}` : `The ${this.#what()} before it ${this.#was()} ${done}`;
      const after = this.#done === 0 ? '' : ', and nothing behind it';
      return new CommandError(EXIT_FAILURE, `${error.message} ${before}${after}.`, { cause: error });
    }
    const isUnknown = error instanceof RedisUnavailableError && error.outcomeUnknown;
    if (this.#done === 0 && !isUnknown) return error;
    const open = isUnknown ? `; of the next ${this.#batch.length} it is unknown` : '';
    const before = `${this.#what()} had been ${done} before${open}.`;
    return new CommandError(EXIT_FAILURE, `${reasonOf(error)} ${before}`, { cause: error });
  }

  #what(): string {
    const { one, many } = this.#options.words;
    return `${this.#done} ${this.#done === 1 ? one : many}`;
  }

  #was(): string {
    return this.#done === 1 ? 'was' : 'were';
  }
}
