import type { Buffer } from 'node:buffer';
import type { FleetLook } from '../domain/fleet/fleet-watch.js';
import type { SkippedWrites } from '../domain/dead-letters/skipped.js';
import type { CountedFailures } from '../domain/failures/failure-group.js';
import type { HistoryCounts } from '../domain/history/book.js';
import type { SetBack } from '../domain/clocks/steps-back.js';
import type { QueueSizes } from './message-queue.js';

/** The queue as what runs beside the work loop sees it. Every method that talks to Redis rejects with RedisUnavailableError. */

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
  /** It was set back, each time by less than an interval (domain/clocks/steps-back.ts). */
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

interface TakenBurials {
  readonly taken: readonly UntoldBurial[];
  /** Until the next one is due; undefined when there is none. */
  readonly nextDueMs: number | undefined;
  /** Redis's clock, ms since the Unix epoch. */
  readonly redisNow: number;
}

/** Burials that the main server is still to hear of: it would show them as queued for ever. */
export interface UntoldQueue {
  isReady(): boolean;
  /**
   * Takes up to `limit` that are due. For `holdMs` on Redis's clock no other teller gets them, and no operator replays or
   * purges them. `latest`: what that clock can say at most, ms since the Unix epoch; what is due later is left.
   */
  takeUntold(limit: number, holdMs: number, latest?: number): Promise<TakenBurials>;
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
  /** For how long its workers have delivered nothing and could not have; 0 = they can. */
  readonly stoodMs: number;
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

/** What one of the fleet says of itself. */
export interface FleetWord {
  /** `<host>/<instance>`, and another for when a second one lives under the same (domain/fleet/member.ts). */
  readonly field: string;
  readonly otherField: string;
  /** One process: a name that is never used again, without blanks. */
  readonly writer: string;
  readonly text: string;
  /** It has said something under this name before. */
  readonly hasSpoken: boolean;
  /** Who was not heard of for a day is to be forgotten now. */
  readonly sweeps: boolean;
}

/** Who serves this queue, on any host. */
export interface FleetQueue {
  isReady(): boolean;
  /** Resolves to the name under which it stands from now on. Rejects with UnusableRedisError when there is no room for it. */
  sayInFleet(word: FleetWord): Promise<string>;
  fleet(): Promise<FleetLook>;
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
    FleetQueue,
    FailureQueue {
  sizes(): Promise<QueueSizes>;
}
