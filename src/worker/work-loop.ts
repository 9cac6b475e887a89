/**
 * The work loop: claim → deliver → settle.
 *
 * One loop owns all conversation with the queue, so at most one exchange is under way and finished attempts gather for
 * the next one: under load a single round trip settles several messages and claims as many. A delivery holds one of
 * `concurrency` slots from its claim to its outcome; a message that waits for its retry holds none.
 *
 *   running ──quiet()──▶ quiet ──drain(deadline)──▶ draining ──nothing left──▶ stopped
 *                                                      └──deadline, kill()──▶ killed ──handed back──▶ stopped
 *
 * quiet: claims nothing. draining: ends when all in flight is settled. killed: every delivery is cut and its message goes
 * back to the right end untouched.
 *
 * An exception that nobody foresaw ends the process: what it held is recovered, and a message that does it again and
 * again is buried as poison.
 */
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { AnswerPoll } from './answer-poll.js';
import type { AttemptResult } from './attempt.js';
import type { MainServer } from '../delivery/main-server.js';
import { asSentence, CAUSE } from '../shared/words/causes.js';
import type { CircuitBreaker } from '../domain/circuit-breaker.js';
import type { Claim, Exchange, MessageQueue } from '../queue/message-queue.js';
import type { Clock } from '../shared/time/clock.js';
import { RedisUnavailableError } from '../shared/errors.js';
import type { Log } from '../shared/logger/log.js';
import type { WorkerMetrics } from '../shared/metrics/worker-metrics.js';
import { Wake } from '../shared/time/wake.js';
import type { StatusUpdates } from './status-updates.js';

/** The loop turns at least this often, whatever happens: its turns are what the primary watches. */
const TICK_MS = 500;
/** With crashed messages about, the queue is asked and not waited on. */
const SUSPECT_TICK_MS = 100;
/** After Redis refused something: often enough to be back within 2 s, seldom enough to cost nothing. */
const REFUSED_PAUSE_MS = 500;
const REFUSAL_LOG_MS = 10_000;
const RECONCILE_EVERY_MS = 60_000;
/** A killed worker gives Redis this long to take the messages back; after that their lease runs out. */
const HAND_BACK_MS = 2_000;

export interface WorkerDeps {
  readonly queue: MessageQueue;
  readonly attempt: (claim: Claim, signal: AbortSignal) => Promise<AttemptResult>;
  readonly statusUpdates: StatusUpdates;
  readonly server: Pick<MainServer, 'probe'>;
  readonly breaker: CircuitBreaker;
  readonly limits: { readonly concurrency: number; readonly batchSize: number };
  readonly metrics: WorkerMetrics;
  readonly clock: Clock;
  readonly log: Log;
  /** Called at every turn of the loop. */
  readonly onTurn: () => void;
}

export class Worker {
  readonly #deps: WorkerDeps;
  readonly #inFlight = new Set<Claim>();
  /** Attempts that ended and are not settled yet. */
  #finished: AttemptResult[] = [];
  /** Of `finished`, those that Redis refused: they keep their slots, or a refusing Redis would let them pile up. */
  #refused = 0;
  readonly #wake: Wake;
  readonly #answers: AnswerPoll;
  readonly #cut = new AbortController();
  #running: Promise<void> | undefined;
  #quieted = false;
  #draining = false;
  #killedAt: number | undefined;
  /** The blocking claim under way; it reserves a slot. */
  #waiting: Promise<void> | undefined;
  #probing: Promise<void> | undefined;
  #provedEmpty = false;
  #suspects = false;
  #solo = false;
  /** A reply was lost: our list and our memory may differ. */
  #inDoubt = false;
  #reconciledAt: number;
  #pausedUntil = -Infinity;
  #refusalLoggedAt = -Infinity;
  #lastConsumed: number | undefined;
  #breakerState: CircuitBreaker['state'] = 'closed';

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
    this.#wake = new Wake(deps.clock);
    this.#reconciledAt = deps.clock.now();
    this.#answers = new AnswerPoll(deps.clock);
  }

  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  get slotsFull(): boolean {
    return this.#inFlight.size >= this.#deps.limits.concurrency;
  }

  /** When a message was last claimed or the queue proved empty, monotonic ms. */
  get consumedAt(): number | undefined {
    return this.#lastConsumed;
  }

  get isStopping(): boolean {
    return this.#quieted;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Claims nothing more. Resolves when no claim is under way. */
  async quiet(): Promise<void> {
    this.#quieted = true;
    this.#wake.wake();
    await this.#endWaiting();
  }

  /** Resolves when everything in flight is settled, or handed back because the deadline passed. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    const deadline = this.#deps.clock.after(deadlineMs, () => this.kill());
    if (this.#inFlight.size > 0) this.#deps.log.info(`Waiting for ${this.#inFlight.size} tasks to complete...`);
    await this.quiet();
    await this.#running;
    await this.#deps.statusUpdates.idle();
    deadline.cancel();
  }

  /** Cuts every delivery and hands its message back. `drain` resolves when that is done. */
  kill(): void {
    if (this.#killedAt !== undefined) return;
    this.#killedAt = this.#deps.clock.now();
    this.#quieted = true;
    if (this.#inFlight.size > 0) {
      this.#deps.log.warn(`Handing ${this.#inFlight.size} unfinished message(s) back to the queue`);
    }
    this.#cut.abort();
    this.#deps.statusUpdates.kill();
    this.#wake.wake();
  }

  async #run(): Promise<void> {
    while (!this.#isDone()) {
      this.#deps.onTurn();
      if (!(await this.#turn())) await this.#rest();
      // answers that arrived together are settled together
      await endOfTurn();
    }
  }

  /** One step of the loop; false = there is nothing to do until something happens. */
  async #turn(): Promise<boolean> {
    const { queue, clock } = this.#deps;
    if (!queue.isReady()) {
      this.#inDoubt = true;
      await queue.whenReady(TICK_MS);
      return true;
    }
    if (clock.now() < this.#pausedUntil) return false;
    try {
      if (this.#reconciliationIsDue()) return await this.#reconcile();
      this.#watchBreaker();
      const want = this.#room();
      if (this.#finished.length > 0 || (want > 0 && !this.#provedEmpty)) return await this.#exchange(want);
      if (want > 0 && !this.#suspects) this.#waitForMessage();
    } catch (error) {
      this.#noteUnavailable(error);
    }
    return false;
  }

  async #rest(): Promise<void> {
    const { breaker, clock } = this.#deps;
    const mayProbe = !this.#probing && !this.#quieted && clock.now() >= this.#pausedUntil;
    const untilProbe = (mayProbe ? breaker.probeDueInMs(clock.now()) : undefined) ?? TICK_MS;
    await this.#wake.sleep(Math.min(this.#suspects ? SUSPECT_TICK_MS : TICK_MS, untilProbe));
    if (this.#suspects) this.#provedEmpty = false;
  }

  #isDone(): boolean {
    if (!this.#draining) return false;
    if (this.#inFlight.size === 0 && this.#finished.length === 0 && !this.#waiting) return true;
    return this.#killedAt !== undefined && this.#deps.clock.now() - this.#killedAt > HAND_BACK_MS;
  }

  /** Messages that may be claimed now: never more than there are free slots. */
  #room(): number {
    if (this.#quieted || this.#solo) return 0;
    const { concurrency, batchSize } = this.#deps.limits;
    const taken = this.#inFlight.size + this.#refused + (this.#waiting ? 1 : 0);
    switch (this.#deps.breaker.allowance()) {
      case 'none':
        return 0;
      case 'one':
        return taken === 0 ? 1 : 0;
      case 'all':
        return Math.max(0, Math.min(concurrency - taken, batchSize));
    }
  }

  async #exchange(want: number): Promise<boolean> {
    const results = this.#finished;
    this.#finished = [];
    // handed back newest first, the oldest ends rightmost and is claimed first
    if (this.#killedAt !== undefined) results.reverse();
    const settledAt = this.#deps.clock.now();
    let exchange: Exchange;
    this.#answers.sent();
    try {
      const settlements = results.map((result) => result.settlement);
      exchange = await this.#deps.queue.exchange({ settlements, want, inFlight: this.#inFlight.size });
    } catch (error) {
      this.#finished = [...results, ...this.#finished];
      throw error;
    }
    this.#answers.answered();
    this.#noteSettled(results, exchange, settledAt);
    this.#suspects = exchange.suspects;
    if (want > 0) {
      this.#provedEmpty = exchange.claims.length < want;
      this.#lastConsumed = this.#deps.clock.now();
      if (exchange.claims.length === 0) this.#deps.breaker.nothingToTry();
    }
    if (exchange.solo) this.#solo = true;
    for (const claim of exchange.claims) this.#begin(claim);
    return this.#refused === 0;
  }

  #noteSettled(results: readonly AttemptResult[], exchange: Exchange, settledAt: number): void {
    this.#refused = 0;
    if (exchange.lost.length === 0 && exchange.refused.length === 0) {
      for (const result of results) this.#afterSettled(result, settledAt);
      return;
    }
    const untouched = new Set(exchange.lost);
    for (const { settlement, reason } of exchange.refused) {
      untouched.add(settlement);
      this.#noteRefusal(`Redis refuses to settle a message: ${reason}`);
    }
    const refused = new Set(exchange.refused.map(({ settlement }) => settlement));
    this.#refused = refused.size;
    this.#finished.push(...results.filter((result) => refused.has(result.settlement)));
    for (const result of results) if (!untouched.has(result.settlement)) this.#afterSettled(result, settledAt);
    this.#noteLost(exchange.lost.length);
  }

  #noteLost(count: number): void {
    if (count === 0) return;
    this.#deps.metrics.claimsLost(count);
    this.#deps.log.warn(`${count} message(s) were not ours any more when they were done`);
  }

  #afterSettled({ settlement, statusUpdate }: AttemptResult, settledAt: number): void {
    if (!statusUpdate) return;
    if (settlement.kind === 'retry') this.#deps.metrics.retried();
    if (this.#deps.breaker.state !== 'open') {
      this.#deps.statusUpdates.send(statusUpdate.messageId, statusUpdate.update, settledAt);
    }
  }

  #begin(claim: Claim): void {
    if (this.#quieted || (this.#deps.breaker.state === 'open' && !this.#solo)) {
      this.#finished.push({ settlement: { kind: 'hand-back', claim } });
      return;
    }
    this.#inFlight.add(claim);
    this.#deps.metrics.setProcessing(this.#inFlight.size);
    void this.#deps.attempt(claim, this.#cut.signal).then((result) => {
      this.#inFlight.delete(claim);
      this.#deps.metrics.setProcessing(this.#inFlight.size);
      if (this.#inFlight.size === 0) this.#solo = false;
      this.#finished.push(result);
      this.#answers.answered();
      this.#wake.wake();
    });
  }

  #waitForMessage(): void {
    if (this.#waiting) return;
    this.#waiting = this.#deps.queue
      .claimBlocking()
      .then(
        (claim) => {
          this.#lastConsumed = this.#deps.clock.now();
          if (!claim) return;
          this.#provedEmpty = false;
          this.#begin(claim);
        },
        (error: unknown) => this.#noteUnavailable(error),
      )
      .finally(() => {
        this.#waiting = undefined;
        this.#wake.wake();
      });
  }

  async #endWaiting(): Promise<void> {
    if (!this.#waiting) return;
    // when this fails the block time ends the wait
    await this.#deps.queue.unblock().catch(() => undefined);
    await this.#waiting;
  }

  #reconciliationIsDue(): boolean {
    return this.#inDoubt || this.#deps.clock.now() - this.#reconciledAt > RECONCILE_EVERY_MS;
  }

  /** Unsettled claims come first: of byte-identical ones the later are reported missing. */
  async #reconcile(): Promise<boolean> {
    await this.#endWaiting();
    const results = this.#finished;
    const held = [...this.#inFlight, ...results.map((result) => result.settlement.claim)];
    const { handedBack, missing, lost } = await this.#deps.queue.reconcile(held);
    const gone = new Set([...missing, ...lost]);
    const over = new Set(results.filter((result) => gone.has(result.settlement.claim)));
    this.#finished = this.#finished.filter((result) => !over.has(result));
    const others = new Set(lost);
    // no status update: it was settled nobody knows how long ago, and a late "queued" would overwrite "delivered"
    const applied = [...over].filter(({ settlement }) => !others.has(settlement.claim));
    for (const { settlement } of applied) if (settlement.kind === 'retry') this.#deps.metrics.retried();
    this.#noteLost(over.size - applied.length);
    if (handedBack > 0) {
      this.#deps.log.warn(`${handedBack} message(s) were claimed without our knowing; handed back to the queue`);
    }
    this.#inDoubt = false;
    this.#reconciledAt = this.#deps.clock.now();
    this.#provedEmpty = false;
    return true;
  }

  #watchBreaker(): void {
    const { breaker, clock, log, server, metrics } = this.#deps;
    if (breaker.state !== this.#breakerState) {
      metrics.setBreakerOpen(breaker.state !== 'closed');
      if (breaker.state === 'closed') log.info('Main server can be reached again, claiming messages');
      else if (this.#breakerState === 'closed') {
        log.error(
          `${asSentence(CAUSE.mainServer)} (${breaker.lastReason}): claiming is paused, looking again every 5 s`,
        );
        void this.#endWaiting();
      }
      this.#breakerState = breaker.state;
      // a half-open breaker that finds nothing to try is closed by an exchange; a blocking pop would take 2 s to say so
      this.#provedEmpty = false;
    }
    if (breaker.probeDueInMs(clock.now()) !== 0 || this.#probing || this.#quieted) return;
    this.#probing = server.probe().then((result) => {
      breaker.probed(result, clock.now());
      this.#probing = undefined;
      this.#wake.wake();
    });
  }

  #noteUnavailable(error: unknown): void {
    if (!(error instanceof RedisUnavailableError)) throw error;
    if (error.outcomeUnknown) {
      this.#inDoubt = true;
      return;
    }
    if (!this.#deps.queue.isReady()) return;
    // a full Redis refuses the blocking pop and not the script: what comes back from retry must not wait for it
    this.#provedEmpty = false;
    this.#pausedUntil = this.#deps.clock.now() + REFUSED_PAUSE_MS;
    this.#noteRefusal(error.message);
  }

  #noteRefusal(text: string): void {
    const now = this.#deps.clock.now();
    if (now - this.#refusalLoggedAt < REFUSAL_LOG_MS) return;
    this.#refusalLoggedAt = now;
    this.#deps.log.error(text);
  }
}
