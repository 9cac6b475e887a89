/**
 * The claiming of messages: how many may be claimed now, and in which way.
 *
 *   asking ──an exchange claimed less than was wanted──▶ empty ──recheck(), a message came──▶ asking
 *
 * asking: each exchange claims as many as there are free slots. empty: a blocking claim waits for the next message, which
 * reserves a slot; it is there the moment it comes and costs next to nothing until then. With suspects about (messages
 * that were in flight at crashes) nothing waits, since only an exchange sees them: the queue is asked ten times a second.
 * Such a message is claimed solo: nothing beside it until it is over. With a rate the queue is asked as often, and nothing
 * waits either (domain/flow/pace.ts).
 */
import type { CircuitBreaker } from '../../domain/flow/circuit-breaker.js';
import type { FlowControl } from '../../domain/flow/flow-control.js';
import { freeForDeliveries } from '../../domain/flow/places.js';
import type { Claim, Exchange, MessageQueue } from '../../queue/message-queue.js';
import type { Clock } from '../../shared/time/clock.js';
import type { WorkLoopOptions } from './work-loop-options.js';

interface ClaimingOptions {
  readonly queue: Pick<MessageQueue, 'claimBlocking' | 'unblock'>;
  readonly flow: FlowControl;
  readonly breaker: CircuitBreaker;
  readonly fleet: WorkLoopOptions['fleet'];
  readonly pause: WorkLoopOptions['pause'];
  readonly pace: WorkLoopOptions['pace'];
  readonly limits: { readonly concurrency: number; readonly batchSize: number };
  readonly clock: Clock;
  /** A message was waited for and came. */
  readonly onAwaited: (claim: Claim) => void;
  /** A wait failed. */
  readonly onError: (error: unknown) => void;
  /** A wait has ended, in whatever way. */
  readonly onWaited: () => void;
}

const ASK_SUSPECTS_EVERY_MS = 100;

export class Claiming {
  readonly #options: ClaimingOptions;
  #quieted = false;
  #empty = false;
  #suspects = false;
  #solo = false;
  #consumedAt: number | undefined;
  #waiting: Promise<void> | undefined;

  constructor(options: ClaimingOptions) {
    this.#options = options;
    options.fleet.watch(options.onWaited);
    options.pause.onChange(() => this.#pauseChanged());
  }

  /** When a message was last claimed or the queue proved empty, monotonic ms. */
  get consumedAt(): number | undefined {
    return this.#consumedAt;
  }

  get isQuieted(): boolean {
    return this.#quieted;
  }

  /** A blocking claim is under way. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** The queue may hold more than we have seen. */
  get isAsking(): boolean {
    return !this.#empty;
  }

  /** Whether what is claimed now may be delivered. A solo message may also at an open breaker: it was meant to. */
  get mayDeliver(): boolean {
    return !this.#quieted && (!this.#isCut || this.#solo);
  }

  /**
   * Messages that may be claimed now, never more than there are free slots; `taken` = slots that are not free, `statuses` =
   * places of status PUTs.
   */
  room(taken: number, statuses: number): number {
    const { fleet, limits, pace, pause, clock } = this.#options;
    const mayClaim = !this.#quieted && !this.#solo && pause.isOpen && !pace.isHeld(clock.now());
    const room = mayClaim ? Math.min(this.free(taken, statuses), limits.batchSize) : 0;
    fleet.using(this.#reserved(taken) + room, statuses);
    return room;
  }

  /** Slots for messages in hand that need one to go on. A pause lets go on what is begun. */
  free(taken: number, statuses: number): number {
    const reserved = this.#reserved(taken);
    const { flow, breaker, fleet } = this.#options;
    if (this.#isCut) return 0;
    const free = freeForDeliveries(reserved, statuses, { limit: flow.limit, cap: fleet.inFlightCap });
    switch (breaker.allowance()) {
      case 'none':
        return 0;
      case 'one':
        return reserved === 0 ? Math.min(1, free) : 0;
      case 'all':
        return free;
    }
  }

  /** The wait for a message reserves one. */
  #reserved(taken: number): number {
    return taken + (this.#waiting ? 1 : 0);
  }

  /** An exchange has claimed, or was to. */
  asked(want: number, { claims, solo, suspects, tokenInMs }: Exchange): void {
    this.#suspects = suspects;
    if (solo) this.#solo = true;
    if (claims.length >= want && !this.#waiting && !this.#isHeld) this.#options.flow.full();
    const { pace, pause, breaker, clock } = this.#options;
    if (want > 0) pace.asked(tokenInMs, clock.now());
    // nothing was claimed, and nothing proved
    if (want === 0 || (claims.length === 0 && (!pause.isOpen || pace.isHolding))) return;
    this.#empty = claims.length < want && !pace.isHolding;
    this.#consumedAt = clock.now();
    if (claims.length === 0) breaker.nothingToTry();
  }

  /** The solo message, or whatever else was in flight, is over. */
  endSolo(): void {
    this.#solo = false;
  }

  /** Something has changed: the queue is to be asked before it counts as empty. */
  recheck(): void {
    this.#empty = false;
  }

  /** The breaker has moved, or the main server asked for rest, or that is over. */
  flowChanged(): void {
    // a half-open breaker that finds nothing to try is closed by an exchange; a blocking pop would take 2 s to say so
    this.#empty = false;
    if (this.#isCut) void this.endWait();
  }

  get #isCut(): boolean {
    const { breaker, flow, clock } = this.#options;
    return breaker.state === 'open' || flow.holdMs(clock.now()) > 0;
  }

  /** How long to rest at most before the next look at the queue. */
  restMs(mostMs: number): number {
    const { pace, clock } = this.#options;
    return this.#suspects ? ASK_SUSPECTS_EVERY_MS : pace.restMs(mostMs, clock.now());
  }

  /** After the rest. */
  rested(): void {
    if (this.#asksOnly) this.#empty = false;
  }

  /** Waits for the next message, if that is the way to claim it. */
  wait(): void {
    if (this.#asksOnly || this.#waiting) return;
    this.#waiting = this.#options.queue.claimBlocking().then(this.#came, this.#options.onError).finally(this.#waited);
  }

  /** Resolves when no claim is under way; what came at the last moment was handed on. */
  async endWait(): Promise<void> {
    if (!this.#waiting) return;
    // when this fails the block time ends the wait
    await this.#options.queue.unblock().catch(() => undefined);
    await this.#waiting;
  }

  /** Claims nothing more. */
  quiet(): void {
    this.#quieted = true;
    this.#options.fleet.leave();
  }

  #pauseChanged(): void {
    this.#empty = false;
    if (this.#options.pause.isPaused) void this.endWait();
    this.#options.onWaited();
  }

  /** A higher limit would not have let it begin more: the fleet's cap or rate does not. */
  get #isHeld(): boolean {
    const { flow, fleet, pace } = this.#options;
    return pace.isHolding || (fleet.inFlightCap ?? Infinity) < flow.limit;
  }

  /** A blocking claim sees no suspects, and takes no token. */
  get #asksOnly(): boolean {
    return this.#suspects || this.#options.pace.isOn;
  }

  readonly #came = (claim: Claim | undefined): void => {
    this.#options.pause.awake();
    this.#consumedAt = this.#options.clock.now();
    if (!claim) return;
    this.#empty = false;
    this.#options.onAwaited(claim);
  };

  readonly #waited = (): void => {
    this.#waiting = undefined;
    this.#options.onWaited();
  };
}
