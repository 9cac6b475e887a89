import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import { EXIT_FAILURE, RedisUnavailableError, reasonOf } from '../../../src/shared/errors.js';
import { CommandError } from '../kit/command.js';
import { BadLineError } from './file.js';
import type { ReadyMessage } from './messages.js';

/** Messages in one LPUSH, and the bytes after which it is sent. */
const BATCH = 500;
const BATCH_BYTES = 1_048_576;

/** Sends in batches and knows at each moment what is sent. */
export class Sending {
  readonly #queue: Pick<OperatorQueue, 'enqueue'>;
  readonly #onSent: (batch: readonly ReadyMessage[], sent: number) => void;
  #batch: ReadyMessage[] = [];
  #bytes = 0;
  #sent = 0;

  constructor(queue: Pick<OperatorQueue, 'enqueue'>, onSent: (batch: readonly ReadyMessage[], sent: number) => void) {
    this.#queue = queue;
    this.#onSent = onSent;
  }

  /** Rejects with CommandError, which says what was sent before. */
  async sendAll(messages: Iterable<ReadyMessage> | AsyncIterable<ReadyMessage>): Promise<void> {
    try {
      for await (const message of messages) {
        this.#batch.push(message);
        this.#bytes += message.raw.length;
        if (this.#batch.length >= BATCH || this.#bytes >= BATCH_BYTES) await this.#flush();
      }
      await this.#flush();
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    await this.#queue.enqueue(batch.map(({ raw }) => raw));
    this.#batch = [];
    this.#bytes = 0;
    this.#sent += batch.length;
    this.#onSent(batch, this.#sent);
  }

  async #explained(error: unknown): Promise<unknown> {
    if (error instanceof BadLineError) {
      await this.#flush();
      return new CommandError(EXIT_FAILURE, `${error.message} ${sentBefore(this.#sent)}.`, { cause: error });
    }
    const isUnknown = error instanceof RedisUnavailableError && error.outcomeUnknown;
    if (this.#sent === 0 && !isUnknown) return error;
    const before = `${messages(this.#sent)} had been sent before`;
    const open = isUnknown ? `; of the next ${this.#batch.length} it is unknown` : '';
    return new CommandError(EXIT_FAILURE, `${reasonOf(error)} ${before}${open}.`, { cause: error });
  }
}

export function messages(count: number): string {
  return `${count} ${count === 1 ? 'message' : 'messages'}`;
}

function sentBefore(count: number): string {
  if (count === 0) return 'Nothing was sent';
  return `The ${messages(count)} before it ${count === 1 ? 'was' : 'were'} sent, and nothing behind it`;
}
