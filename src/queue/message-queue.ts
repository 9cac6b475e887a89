import type { Buffer } from 'node:buffer';
import type { SkippedWrites } from '../domain/dead-letters/skipped.js';
import type { Allotment, ShareReport } from '../domain/flow/fleet-share.js';

/**
 * The queue as the worker and the primary see it. claims-and-settlements.ts is the implementation; its header holds the data model.
 *
 * Every method that talks to Redis rejects with RedisUnavailableError while Redis does not answer.
 */

/** A message taken under ownership. It stays in the consumer's processing list until it is settled. */
export interface Claim {
  /** The message, byte for byte. */
  readonly raw: Buffer;
  /** The consumer whose list holds it: ownership ends when that consumer's lease is lost. */
  readonly consumer: string;
}

/** The ways to end a claim. Each is atomic and acts only while the claim is still in the consumer's list. */
export type Settlement =
  /** Of a first attempt: nearly all there is. */
  | { readonly kind: 'ack'; readonly claim: Claim }
  /** Of a message that has failed before: what is kept of that goes with it. */
  | { readonly kind: 'ack-retried'; readonly claim: Claim; readonly messageId: string }
  /** Due again after `delayMs` on Redis's clock, with `message` in place of the claim's bytes. */
  | {
      readonly kind: 'retry';
      readonly claim: Claim;
      readonly message: Buffer;
      readonly messageId: string;
      readonly delayMs: number;
      /** Of the attempt that failed (domain/failures/failed-attempt.ts); kept until the message is delivered. */
      readonly failure?: string;
    }
  /** `envelope` is the dead letter (domain/dead-letters/dead-letter.ts). `isUntold` = the main server has yet to hear that it failed. */
  | {
      readonly kind: 'bury';
      readonly claim: Claim;
      readonly envelope: Buffer | string;
      readonly isUntold?: true;
    }
  /** Back to the right end, untouched. */
  | { readonly kind: 'hand-back'; readonly claim: Claim };

export interface Exchange {
  /** Why no further message was claimed although one may wait; the rest holds all the same. */
  readonly claimRefusal: string | undefined;
  readonly claims: readonly Claim[];
  /** Settlements that acted on nothing, since the claim was not ours any more. */
  readonly lost: readonly Settlement[];
  /** Settlements that Redis refused; their claims stand and must be settled again. */
  readonly refused: readonly { readonly settlement: Settlement; readonly reason: string }[];
  /** The one claim killed its process before: nothing may be claimed beside it. */
  readonly solo: boolean;
  /** Such messages may be waiting: claim by `exchange` only, which sees them. */
  readonly suspects: boolean;
  /** Fewer were claimed than were wanted, for the sake of the rate: until the next may be. 0 = not for its sake. */
  readonly tokenInMs: number;
  /** Undefined = all that belongs to the burials was written. */
  readonly skipped?: SkippedWrites;
}

export interface ExchangeRequest {
  readonly settlements: readonly Settlement[];
  /** Messages to claim at most: never more than there are free slots. */
  readonly want: number;
  /** Claims held that are not settled here. */
  readonly inFlight: number;
}

export interface Reconciliation {
  /** Claims that sat in our list unknown to us and went back to the queue. */
  readonly handedBack: number;
  /** Held claims that are no longer in our list, which nobody else touched: they were settled. */
  readonly missing: readonly Claim[];
  /** Held claims that others recovered. */
  readonly lost: readonly Claim[];
}

/** What Redis says of itself once connected. */
export interface RedisFacts {
  readonly version: string;
  /** `noeviction` is the only policy that cannot drop the queue; empty when Redis does not tell. */
  readonly evictionPolicy: string;
  /** False = INFO is renamed, or this user may not call it: nothing of the above is known. */
  readonly tells: boolean;
}

export interface QueueSizes {
  readonly waiting: number;
  readonly processing: number;
  readonly retrying: number;
  readonly dead: number;
  /** Of the dead, those in the list of earlier versions. */
  readonly deadInbox: number;
  /** Head of the message that waits longest, when it is small enough to be sent; undefined when none waits. */
  readonly oldest: Buffer | undefined;
  /** When the first retry is due, ms of Redis's clock; undefined when there is none. */
  readonly firstRetryDueMs: number | undefined;
  /** Redis's clock, ms; undefined where its user may not ask for it. */
  readonly redisNow: number | undefined;
}

/** Used by one worker. One call of `exchange`, `reconcile` or `claimBlocking` of each kind at a time. */
export interface MessageQueue {
  readonly consumer: string;
  /** False = plain BRPOP: a message lives only in this process while it is delivered. */
  readonly reliable: boolean;
  /** True while both connections are usable. */
  isReady(): boolean;
  /** Resolves when both connections are usable, or after `timeoutMs` (no error either way). */
  whenReady(timeoutMs: number): Promise<void>;
  /** Settles `settlements` and claims up to `want` messages in one atomic step; renews the lease. */
  exchange(request: ExchangeRequest): Promise<Exchange>;
  /** Waits for one message; undefined when none came within the block time or `unblock` was called. */
  claimBlocking(): Promise<Claim | undefined>;
  /** Ends a `claimBlocking` in flight without a race; safe when there is none. */
  unblock(): Promise<void>;
  /** Compares the consumer's list with `held` (in flight and not yet settled) and puts the difference right. */
  reconcile(held: readonly Claim[]): Promise<Reconciliation>;
  /**
   * Renews the lease. `lost` = it was over and others have taken the claims: the queue has a new consumer name, and every
   * older claim settles to nothing.
   */
  renewLease(): Promise<'kept' | 'lost'>;
}

/** Notes who may have how much in flight. */
export interface ShareQueue {
  isReady(): boolean;
  /** Undefined = Redis knows no lease of this worker now. */
  takeShare(report: ShareReport): Promise<Allotment | undefined>;
}
