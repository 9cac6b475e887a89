import type { FleetSeat } from '../../domain/flow/fleet-share.js';
import type { FlowControl } from '../../domain/flow/flow-control.js';
import { freeForDeliveries, mayTell, mostStatuses, type Places } from '../../domain/flow/places.js';
import type { Held } from '../attempt/held.js';
import type { Copies } from '../attempt/copies.js';
import type { Claiming } from './claiming.js';
import type { InFlight } from './in-flight.js';
import type { Settlements } from './settlements.js';
import type { StatusPlaces } from './status-places.js';

interface SlotsOptions {
  readonly inFlight: Pick<InFlight, 'size'>;
  readonly copies: Pick<Copies, 'idle'>;
  readonly held: Held;
  readonly settlements: Pick<Settlements, 'count' | 'heldCount' | 'untoldCount'>;
  readonly claiming: Pick<Claiming, 'room' | 'free' | 'isWaiting' | 'mayDeliver'>;
  readonly flow: Pick<FlowControl, 'limit'>;
  readonly fleet: Pick<FleetSeat, 'kept'>;
  readonly statusPlaces: StatusPlaces;
  readonly limits: { readonly batchSize: number };
  /** Turns the loop once more. */
  readonly wake: () => void;
}

/** Share of the places that are free of PUTs before the queue is asked for messages for them, while others are in flight. */
const WORTH_ASKING = 0.25;

/**
 * Who has the slots, of which there are `concurrency`: what is begun and not acknowledged never is more.
 *
 * A copy that waits for another one, and a message that waits for its registration, need none; no more than a batch of
 * them, or they would all be claimed. A held message begins only after an exchange: that has seen a pause, and that this
 * consumer is still one.
 *
 * Status PUTs have places of the same: a failed attempt leaves its own to the PUT that tells of it.
 */
export class Slots {
  readonly #options: SlotsOptions;
  /** Held messages that were due when it was last asked for room. */
  #due = 0;
  /** Messages that the exchange under way may bring, or lets begin. */
  #expected = 0;

  constructor(options: SlotsOptions) {
    this.#options = options;
    options.held.onChange = options.wake;
    options.statusPlaces.onFree = () => void (this.#isWorthAsking && options.wake());
    options.statusPlaces.hasRoom = (sending) => mayTell(this.#mayBeBegun, sending, this.#places);
  }

  /** Messages that are begun. What waits beyond a batch of them has a slot while it does, and begins in that. */
  get begun(): number {
    const { inFlight, copies, held } = this.#options;
    return inFlight.size - copies.idle - held.idle;
  }

  get areFull(): boolean {
    return freeForDeliveries(this.#taken, this.#statuses, { limit: this.#options.flow.limit, cap: undefined }) === 0;
  }

  /** Messages that may be claimed now. What is due goes before, and no more than that is admitted after the exchange. */
  room(): number {
    const { claiming, held, settlements } = this.#options;
    this.#due = held.due;
    return claiming.room(this.#taken + settlements.heldCount + this.#due, this.#statuses);
  }

  /** An exchange that wants so many is under way, until `admit` or `expectNone`. */
  expect(want: number): void {
    this.#expected = want + this.#due;
  }

  /** It has failed. */
  expectNone(): void {
    this.#expected = 0;
  }

  /** An attempt has ended, or a held message is due and can begin after an exchange. */
  get exchangeIsDue(): boolean {
    const { claiming, held, settlements } = this.#options;
    return settlements.count > 0 || (held.due > 0 && claiming.free(this.#begunAtExchange, this.#statuses) > 0);
  }

  /** After an exchange. */
  admit(): void {
    const { claiming, held, settlements, statusPlaces } = this.#options;
    const free = held.due > 0 ? claiming.free(this.begun + settlements.count, this.#statuses) : 0;
    if (held.due > 0) held.admit(Math.min(this.#due, free));
    this.#expected = 0;
    statusPlaces.look();
  }

  /** At each turn of the loop. `reserved`: the wait for a message has the slot that a held one needs, or a status PUT. */
  review(): 'reserved' | undefined {
    const { claiming, held, statusPlaces } = this.#options;
    statusPlaces.look();
    if (claiming.isWaiting && statusPlaces.wanted > 0 && statusPlaces.sending === 0) return 'reserved';
    if (held.idle === 0) return undefined;
    if (!claiming.mayDeliver) held.handBack();
    held.admit(0);
    const isShort = held.due > 0 && claiming.isWaiting && claiming.free(this.#begunAtExchange, this.#statuses) === 0;
    return isShort ? 'reserved' : undefined;
  }

  /** Places that status PUTs have, or that are left to those that wait and those that follow from what has ended. */
  get #statuses(): number {
    const { statusPlaces, settlements } = this.#options;
    const wanted = statusPlaces.wanted + settlements.untoldCount;
    return wanted === 0 ? 0 : Math.max(statusPlaces.sending, Math.min(wanted, mostStatuses(this.#places)));
  }

  get #places(): Places {
    const { flow, fleet } = this.#options;
    return { limit: flow.limit, cap: fleet.kept };
  }

  /** An exchange for each PUT that ends would cost as much as the PUT: the next delivery that ends brings one anyway. */
  get #isWorthAsking(): boolean {
    const { flow, fleet } = this.#options;
    const begun = this.#mayBeBegun;
    const most = Math.min(flow.limit, fleet.kept ?? flow.limit);
    return begun === 0 || most - begun - this.#statuses >= most * WORTH_ASKING;
  }

  /** Before the loop turns again. */
  get #mayBeBegun(): number {
    return this.begun + this.#expected + (this.#options.claiming.isWaiting ? 1 : 0);
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
