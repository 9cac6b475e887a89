import type { Buffer } from 'node:buffer';
import type { SkippedWrites } from '../domain/dead-letters/skipped.js';
import type { CountedFailures } from '../domain/failures/failure-group.js';
import type { Allotment, ShareReport } from '../domain/flow/fleet-share.js';
import type { HistoryCounts } from '../domain/history/book.js';
import type { SetBack } from '../domain/steps-back.js';

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

/** Moves due retries back to the queue. */
export interface RetryQueue {
  /** The name of the key, for the log. */
  readonly retryKey: string;
  isReady(): boolean;
  /** Moves up to `limit` due messages, fewer when they are large. */
  promoteDue(limit: number, clock?: PromotionClock): Promise<Promotion>;
  /**
   * Looks at up to `limit` retries, from the one due last on, `from` = how many were left as they were so far. One that
   * waits for longer than its own interval is set right; `backMs` = how far Redis's clock went back, 0 = not known;
   * `setBackBefore` = what else puts those off.
   */
  setRight(page: {
    readonly from: number;
    readonly limit: number;
    readonly backMs: number;
    readonly setBackBefore?: readonly SetBack[];
  }): Promise<{ readonly kept: number; readonly changed: number; readonly foreign: number }>;
  /**
   * Moves up to `limit` of what is not ours to the list of the dead, fewer when they are large. `isOver` = there is nothing
   * of the kind. Rejects where that is refused: they stay, and hold up nothing.
   */
  setAside(limit: number): Promise<{ readonly moved: number; readonly isOver: boolean }>;
}

/** What the caller knows of Redis's clock. */
export interface PromotionClock {
  /** What it can say at most, ms since the Unix epoch: what is due later than that is left. */
  readonly latest?: number | undefined;
  /** What it has reached at least: below that it was set back, and `setBack` does not count. */
  readonly earliest?: number | undefined;
  /** It was set back, each time by less than an interval (domain/steps-back.ts). */
  readonly setBack?: readonly SetBack[];
}

export interface Promotion {
  readonly moved: number;
  readonly messageIds: readonly string[];
  /** Until the next one is due; undefined when none is within the next second. */
  readonly nextDueMs: number | undefined;
  /** Members met that no worker has written; they are out of the way, until `setAside`. */
  readonly foreign: number;
  /** Redis's clock, ms since the Unix epoch. */
  readonly redisNow: number;
}

/** A consumer and its score in the register, as text: a lease, which each renewal changes, or the time of its recovery. */
export interface RegisteredConsumer {
  readonly consumer: string;
  readonly score: string;
}

/** What an observer sees of the register. */
export interface Register {
  /** Of consumers whose claims nobody has recovered. */
  readonly leases: readonly RegisteredConsumer[];
  /** Recovered ones in whose list a claim has landed since. */
  readonly late: readonly RegisteredConsumer[];
}

interface Recovery {
  readonly recovered: number;
  readonly buried: number;
  readonly skipped?: SkippedWrites;
}

/** Rescues what dead consumers held. */
export interface RecoveryQueue {
  isReady(): boolean;
  /** Rejects also when Redis answers and takes no writes. */
  register(): Promise<Register>;
  /** All consumers that Redis knows. */
  consumers(): Promise<readonly string[]>;
  /**
   * Puts a dead consumer's claims back at the right end, oldest first, and buries those in flight at too many deaths as
   * `poison`. `evenIfLeased` = we know that its process is dead; `score` = we saw it stand still, and nothing happens if it
   * is another one now. A refusal is said with the name of the consumer's key.
   */
  recover(consumer: string, why: { readonly evenIfLeased: true } | { readonly score: string }): Promise<Recovery>;
}

/** Moves what earlier versions buried to where this one looks. */
export interface DeadLetterInbox {
  /** A step: the oldest 100 letters, or 1 MB of them. `unreadable` = of those moved, what no worker wrote. */
  moveOldDeadLetters(): Promise<{ readonly moved: number; readonly unreadable: number; readonly left: number }>;
}

/** A place in the index of the dead letters. */
interface IndexPlace {
  readonly line: string;
  readonly score: string;
}

/** Deletes dead letters that are kept for a limited time. */
export interface DeadLetterExpiry {
  /** False = another supervisor of the fleet does it. It is to be taken again every 10 s by who does. */
  takeExpiry(id: string): Promise<boolean>;
  /** Gives the turn up, if it is ours. */
  leaveExpiry(id: string): Promise<void>;
  /** Its clock, ms since the Unix epoch. */
  redisTime(): Promise<number>;
  /**
   * A step from the oldest on: deletes what died before that by the index and by its own word, but nothing of which the main
   * server is being told now. `after`: where the next step begins; `isOver` = nothing older is left.
   */
  expireDeadLetters(
    beforeMs: number,
    after: IndexPlace | undefined,
  ): Promise<{ readonly deleted: number; readonly isOver: boolean; readonly after: IndexPlace | undefined }>;
}

/** What a look at the pause of all deliveries has found. */
export interface PauseLook {
  /** What stands there, or the first 4 KB of it (domain/pause/pause.ts reads it); undefined = deliveries are not paused. */
  readonly text: string | undefined;
  /** Until Redis ends it by itself; undefined = it does not. */
  readonly leftMs: number | undefined;
  /** Redis does not let us look, or not say that we keep it: why. */
  readonly refusal: string | undefined;
}

/** A pause that this consumer keeps: it begins nothing, and does not until a look finds none. */
export interface KeptPause {
  /** As the last look gave it. */
  readonly text: string;
  readonly id: string;
  readonly untilMs: number | undefined;
}

/** The pause that holds for the whole fleet. */
export interface PauseQueue {
  isReady(): boolean;
  /**
   * Looks, and says that this consumer keeps `kept` if that is still what stands there. Rejects with RedisUnavailableError,
   * but not where this user may not look, or where the key is of another type.
   */
  lookAtPause(kept?: KeptPause): Promise<PauseLook>;
}

/** Looks for claims that nobody would recover. */
export interface FoundListsQueue {
  /** False = another process of the fleet has the search. It is to be taken again every 10 s by who has it. */
  takeSearch(id: string): Promise<boolean>;
  /** Gives the search up, if it is ours. */
  leaveSearch(id: string): Promise<void>;
  /**
   * Looks at some of Redis's keys and makes the consumers known whose lists it meets and whom nobody knows. `cursor`: '0' at
   * first, then what the last call gave, until that is '0' again. Rejects where the user may not run SCAN.
   */
  registerFound(cursor: string): Promise<{ readonly cursor: string; readonly consumers: readonly string[] }>;
}

/** A burial of which the main server has not heard, as one teller has it. */
export interface UntoldBurial {
  readonly messageId: string;
  readonly attemptCount: number;
  /** From a closed set: the reasons of burials that are told. */
  readonly errorMessage: string;
  /** Its line in the index, and what shows that this teller has it. */
  readonly line: string;
  readonly score: string;
}

/** Burials that the main server is still to hear of: it would show them as queued for ever. */
export interface UntoldQueue {
  isReady(): boolean;
  /**
   * Takes up to `limit` that are due. For `holdMs` on Redis's clock no other teller gets them, and no operator replays or
   * purges them. `nextDueMs`: until the next one is; undefined when there is none.
   */
  takeUntold(
    limit: number,
    holdMs: number,
  ): Promise<{ readonly taken: readonly UntoldBurial[]; readonly nextDueMs: number | undefined }>;
  /**
   * `told` ends it. Otherwise it is due again after as long as it has been dead, 1 s to 60 s; `open` = what was sent may
   * still have its effect, so the letter is nobody's until then.
   */
  endTelling(burial: UntoldBurial, ending: 'told' | 'again' | 'open'): Promise<void>;
}

/** What a writer of the history has to say. */
export interface HistoryNote {
  /** One process: a name that is never used again. */
  readonly writer: string;
  /** As they stand since its start. */
  readonly counts: HistoryCounts;
  /** What of that is known to be written. */
  readonly written: HistoryCounts;
  /** Undefined = not known. */
  readonly oldestWaitSeconds: number | undefined;
  /** About what Redis's clock says, ms since the Unix epoch. */
  readonly redisNow: number;
}

/** What a writer learns as it writes. */
export interface HistoryLook {
  /** By Redis's clock, ms since the Unix epoch. */
  readonly at: number;
  /** Messages since the history began; falls only where Redis has lost it. */
  readonly arrived: number;
  readonly waiting: number;
  /** The message that waits longest, when it is small enough to be sent; undefined when none waits. */
  readonly oldest: Buffer | undefined;
}

/** What the workers of the queue have done, by minute and by hour (domain/history/book.ts). */
export interface HistoryQueue {
  isReady(): boolean;
  /** Repeated with the same counts it adds nothing. */
  noteHistory(note: HistoryNote): Promise<HistoryLook>;
}

/** What is kept of failed attempts beside their messages. */
export interface FailureQueue {
  isReady(): boolean;
  /** Adds to the counts of an hour, `2025-01-15T10` in UTC. False = the side books are full. */
  countFailures(hour: string, counts: readonly CountedFailures[]): Promise<boolean>;
  /** True = nobody of the fleet has begun a sweep for an hour, and the caller is to. */
  takeFailureSweep(): Promise<boolean>;
  /**
   * Forgets some of the messages whose last failed attempt was before `olderThan`, ms since the Unix epoch. `cursor`: '0'
   * at first, then what the last call gave, until that is '0' again.
   */
  sweepFailures(cursor: string, olderThan: number): Promise<{ readonly cursor: string; readonly forgotten: number }>;
}

/** All that is done to the queue beside claiming and settling. */
export interface BackgroundQueue
  extends
    RetryQueue,
    RecoveryQueue,
    FoundListsQueue,
    DeadLetterInbox,
    DeadLetterExpiry,
    UntoldQueue,
    PauseQueue,
    HistoryQueue,
    FailureQueue {
  sizes(): Promise<QueueSizes>;
}
