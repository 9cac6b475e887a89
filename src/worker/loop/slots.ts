import type { FlowControl } from '../../domain/flow/flow-control.js';
import type { Held } from '../attempt/held.js';
import type { Copies } from '../attempt/copies.js';
import type { Claiming } from './claiming.js';
import type { InFlight } from './in-flight.js';
import type { Settlements } from './settlements.js';

interface SlotsOptions {
  readonly inFlight: Pick<InFlight, 'size'>;
  readonly copies: Pick<Copies, 'idle'>;
  readonly held: Held;
  readonly settlements: Pick<Settlements, 'count' | 'heldCount'>;
  readonly claiming: Pick<Claiming, 'room' | 'free' | 'isWaiting' | 'mayDeliver'>;
  readonly flow: Pick<FlowControl, 'limit'>;
  readonly limits: { readonly batchSize: number };
  /** Turns the loop once more. */
  readonly wake: () => void;
}

/**
 * Who has the slots, of which there are `concurrency`: what is begun and not acknowledged never is more.
 *
 * A copy that waits for another one, and a message that waits for its registration, need none; no more than a batch of
 * them, or they would all be claimed. A held message begins only after an exchange: that has seen a pause, and that this
 * consumer is still one.
 */
export class Slots {
  readonly #options: SlotsOptions;
  /** Held messages that were due when it was last asked for room. */
  #due = 0;

  constructor(options: SlotsOptions) {
    this.#options = options;
    options.held.onChange = options.wake;
  }

  /** Messages that are begun. What waits beyond a batch of them has a slot while it does, and begins in that. */
  get begun(): number {
    const { inFlight, copies, held } = this.#options;
    return inFlight.size - copies.idle - held.idle;
  }

  get areFull(): boolean {
    return this.#taken >= this.#options.flow.limit;
  }

  /** Messages that may be claimed now. What is due goes before, and no more than that is admitted after the exchange. */
  room(): number {
    const { claiming, held, settlements } = this.#options;
    this.#due = held.due;
    return claiming.room(this.#taken + settlements.heldCount + this.#due);
  }

  /** An attempt has ended, or a held message is due and can begin after an exchange. */
  get exchangeIsDue(): boolean {
    const { claiming, held, settlements } = this.#options;
    return settlements.count > 0 || (held.due > 0 && claiming.free(this.#begunAtExchange) > 0);
  }

  /** After an exchange. */
  admit(): void {
    const { claiming, held, settlements } = this.#options;
    if (held.due > 0) held.admit(Math.min(this.#due, claiming.free(this.begun + settlements.count)));
  }

  /** At each turn of the loop. `reserved`: the wait for a message has the slot that a held one needs. */
  review(): 'reserved' | undefined {
    const { claiming, held } = this.#options;
    if (held.idle === 0) return undefined;
    if (!claiming.mayDeliver) held.handBack();
    held.admit(0);
    const isShort = held.due > 0 && claiming.isWaiting && claiming.free(this.#begunAtExchange) === 0;
    return isShort ? 'reserved' : undefined;
  }

  get #taken(): number {
    const { inFlight, copies, held, limits } = this.#options;
    return inFlight.size - Math.min(copies.idle + held.idle, limits.batchSize);
  }

  /** What has ended is settled by the exchange and gives its slot back, but for what it leaves or Redis refuses. */
  get #begunAtExchange(): number {
    return this.begun + this.#options.settlements.heldCount;
  }
}
