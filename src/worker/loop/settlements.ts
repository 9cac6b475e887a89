/**
 * What becomes of an attempt once it has ended.
 *
 *   ended ──add──▶ finished ──take──▶ under way ──acted──▶ over; now the main server may be told
 *                     ▲                   ├──lost──▶ over, counted: the message was another consumer's by then
 *                     ├─────refused───────┤          it keeps its slot, or a refusing Redis would let them pile up
 *                     └─────no reply──────┘          in doubt: whether it acted is for the audit to say
 *
 * An audit compares what we hold with our list in Redis. What is finished and no longer there was settled: it is over,
 * and the main server is not told, since nobody knows how long ago that was and a late "queued" would overwrite
 * "delivered". What others recovered is lost. What Redis holds for us without our knowing goes back to the queue.
 *
 * Owned by the work loop, which has one batch under way at a time and none during an audit.
 */
import type { CircuitBreaker } from '../../domain/flow/circuit-breaker.js';
import type { Claim, Exchange, MessageQueue, Settlement } from '../../queue/message-queue.js';
import type { Log } from '../../shared/logger/log.js';
import type { WorkerMetrics } from '../../shared/metrics/worker-metrics.js';
import type { Clock } from '../../shared/time/clock.js';
import { momentOf, type Moment } from '../../shared/time/deadline.js';
import type { AttemptResult } from '../attempt/attempt.js';
import type { Copies } from '../attempt/copies.js';
import type { Refusals } from './refusals.js';
import { SkippedWritesWatch } from './skipped-writes.js';
import type { StatusUpdates } from '../attempt/status-updates.js';

const AUDIT_EVERY_MS = 60_000;
/** One exchange settles no more than this and one message, as it claims: Redis refuses an argument over its limit. */
const EXCHANGE_BYTES = 1_048_576;

interface SettlementsOptions {
  readonly queue: Pick<MessageQueue, 'reconcile'>;
  readonly statusUpdates: Pick<StatusUpdates, 'send'>;
  readonly copies: Pick<Copies, 'isAwaited' | 'release'>;
  readonly breaker: Pick<CircuitBreaker, 'state'>;
  readonly metrics: Pick<WorkerMetrics, 'retried' | 'acknowledged' | 'claimsLost' | 'skipped'>;
  readonly refusals: Pick<Refusals, 'say'>;
  readonly clock: Clock;
  readonly log: Log;
}

export class Settlements {
  readonly #options: SettlementsOptions;
  readonly #skipped: SkippedWritesWatch;
  #finished: AttemptResult[] = [];
  #underWay: AttemptResult[] = [];
  /** Before the last exchange: a retry falls due its interval after that at the earliest. */
  #takenAt: Moment;
  /** Of `finished`, those that Redis refused. */
  #refused = 0;
  /** Of `finished`, those that were too much for the last exchange. */
  #left = 0;
  /** A reply was lost: our list and our memory may differ. */
  #inDoubt = false;
  /** Since it was told. */
  #acknowledged = 0;
  #auditedAt: number;

  constructor(options: SettlementsOptions) {
    this.#options = options;
    this.#skipped = new SkippedWritesWatch(options);
    this.#takenAt = momentOf(options.clock);
    this.#auditedAt = this.#takenAt.now;
  }

  /** Attempts that ended and are not settled. */
  get count(): number {
    return this.#finished.length;
  }

  /** Of those, failures that the main server is to be told of. */
  get untoldCount(): number {
    let count = 0;
    for (const { statusUpdate } of this.#finished) if (statusUpdate) count += 1;
    return count;
  }

  get refusedCount(): number {
    return this.#refused;
  }

  /** Of those, the ones that hold a slot. */
  get heldCount(): number {
    return this.#refused + this.#left;
  }

  /** A reply was lost: Redis may hold claims for us of which we do not know. */
  get isInDoubt(): boolean {
    return this.#inDoubt;
  }

  get auditIsDue(): boolean {
    return this.#inDoubt || this.#options.clock.now() - this.#auditedAt > AUDIT_EVERY_MS;
  }

  add(result: AttemptResult): void {
    this.#finished.push(result);
  }

  /** Back to the queue, untouched. */
  handBack(claim: Claim): void {
    this.#finished.push({ settlement: { kind: 'hand-back', claim } });
  }

  /** Of what is finished as much as one exchange bears, the oldest first. `settled` or `putBack` follows. */
  take(): Settlement[] {
    const count = countWithin(this.#finished, EXCHANGE_BYTES);
    this.#underWay = this.#finished;
    this.#finished = this.#underWay.length > count ? this.#underWay.splice(count) : [];
    this.#left = this.#finished.length;
    this.#takenAt = momentOf(this.#options.clock);
    return this.#underWay.map((result) => result.settlement);
  }

  /** The newest first: handed back so, the oldest ends rightmost and is claimed first. */
  takeNewest(): Settlement[] {
    this.#finished.reverse();
    const settlements = this.take();
    this.#finished.reverse();
    this.#underWay.reverse();
    return settlements;
  }

  /** The exchange failed. */
  putBack(): void {
    this.#finished = [...this.#underWay, ...this.#finished];
    this.#underWay = [];
  }

  settled({ lost, refused, skipped }: Exchange): void {
    if (lost.length === 0 && refused.length === 0) for (const result of this.#underWay) this.#acted(result);
    else this.#sort(new Set(lost), new Set(refused.map(({ settlement }) => settlement)));
    for (const { reason } of refused) this.#options.refusals.say(`Redis refuses to settle a message: ${reason}`);
    if (skipped) this.#skipped.note(skipped);
    this.#tellAcknowledged();
    this.#noteLost(lost.length);
    this.#refused = refused.length;
    this.#underWay = [];
  }

  /** Something was asked of Redis and it is not known whether that was done. */
  doubt(): void {
    this.#inDoubt = true;
  }

  /** Rejects with RedisUnavailableError; it is due until it succeeds. Nothing may be claimed meanwhile. */
  async audit(inFlight: Iterable<Claim>): Promise<void> {
    const { queue, clock, log } = this.#options;
    // unsettled claims come first: of byte-identical ones the later are reported missing
    const held = [...inFlight, ...this.#finished.map(({ settlement }) => settlement.claim)];
    const { handedBack, missing, lost } = await queue.reconcile(held);
    this.#forget(new Set(missing), new Set(lost));
    if (handedBack > 0) log.warn(`${handedBack} message(s) were claimed without our knowing; handed back to the queue`);
    this.#inDoubt = false;
    this.#auditedAt = clock.now();
  }

  #forget(missing: ReadonlySet<Claim>, lost: ReadonlySet<Claim>): void {
    let lostCount = 0;
    this.#finished = this.#finished.filter((result) => {
      const { claim } = result.settlement;
      if (lost.has(claim)) lostCount += 1;
      else if (!missing.has(claim)) return true;
      else this.#count(result);
      this.#release(result);
      return false;
    });
    // what was refused or left may be gone, and no exchange comes that would say so: its slots would be held for ever
    this.#refused = 0;
    this.#left = this.#finished.length;
    this.#tellAcknowledged();
    this.#noteLost(lostCount);
  }

  #sort(lost: ReadonlySet<Settlement>, refused: ReadonlySet<Settlement>): void {
    for (const result of this.#underWay) {
      if (refused.has(result.settlement)) this.#finished.push(result);
      else if (lost.has(result.settlement)) this.#release(result);
      else this.#acted(result);
    }
  }

  #acted(result: AttemptResult): void {
    const { messageId, statusUpdate } = result;
    const { breaker, statusUpdates, copies } = this.#options;
    this.#count(result);
    const isTold = statusUpdate !== undefined && breaker.state !== 'open';
    if (!isTold || messageId === undefined || copies.isAwaited(messageId)) this.#release(result);
    else statusUpdates.send(messageId, statusUpdate, this.#takenAt);
  }

  #count({ failed, settlement }: AttemptResult): void {
    if (failed) this.#options.metrics.retried();
    else if (settlement.kind === 'ack' || settlement.kind === 'ack-retried') this.#acknowledged += 1;
  }

  /** Once for all of an exchange. */
  #tellAcknowledged(): void {
    if (this.#acknowledged > 0) this.#options.metrics.acknowledged(this.#acknowledged);
    this.#acknowledged = 0;
  }

  #release({ messageId }: AttemptResult): void {
    if (messageId !== undefined) this.#options.copies.release(messageId);
  }

  #noteLost(count: number): void {
    if (count === 0) return;
    this.#options.metrics.claimsLost(count);
    this.#options.log.warn(`${count} message(s) were not ours any more when they were done`);
  }
}

/** How many of the first are no more than `bytes` together, but one. */
function countWithin(results: readonly AttemptResult[], bytes: number): number {
  let taken = 0;
  let count = 0;
  for (const { settlement } of results) {
    taken += sizeOf(settlement);
    if (taken > bytes) return Math.max(1, count);
    count += 1;
  }
  return count;
}

function sizeOf(settlement: Settlement): number {
  const { length } = settlement.claim.raw;
  if (settlement.kind === 'retry') return length + settlement.message.length;
  return settlement.kind === 'bury' ? length + settlement.envelope.length : length;
}
