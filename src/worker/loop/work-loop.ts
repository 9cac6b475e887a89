/**
 * The work loop: claim → deliver → settle.
 *
 * One loop owns all conversation with the queue, so at most one exchange is under way and finished attempts gather for
 * the next one: under load a single round trip settles several messages and claims as many. The parts: claiming (how
 * many, in which way), slots (of `concurrency` messages), in-flight, settlements (of what has ended), flow-watch (can the
 * main server be reached?).
 *
 *   running ──quiet()──▶ quiet ──drain(deadline)──▶ draining ──nothing left──▶ stopped
 *                                                      └──deadline, kill()──▶ killed ──handed back──▶ stopped
 *
 * quiet: claims nothing. draining: ends when all in flight is settled. killed: every delivery is cut and its message goes
 * back to the right end untouched. stop() kills and waits for the end.
 * An exception that nobody foresaw ends the process: what it held is recovered, and a message that goes on so is poison.
 */
import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { Claim, Exchange } from '../../queue/message-queue.js';
import { RedisUnavailableError } from '../../shared/errors.js';
import type { Life } from '../../shared/life.js';
import { Wake } from '../../shared/time/wake.js';
import { AnswerPoll } from './answer-poll.js';
import type { AttemptResult } from '../attempt/attempt.js';
import { Claiming } from './claiming.js';
import { FlowWatch } from './flow-watch.js';
import { InFlight } from './in-flight.js';
import { Refusals } from './refusals.js';
import { Settlements } from './settlements.js';
import { Slots } from './slots.js';
import type { WorkLoopOptions } from './work-loop-options.js';

/** The loop turns at least this often, whatever happens: its turns are what the primary watches. */
const TICK_MS = 500;
/** A killed worker gives Redis this long to take the messages back; after that their lease runs out. */
const HAND_BACK_MS = 2_000;

export class WorkLoop implements Life {
  readonly #options: WorkLoopOptions;
  readonly #claiming: Claiming;
  readonly #inFlight: InFlight;
  readonly #settlements: Settlements;
  readonly #slots: Slots;
  readonly #flow: FlowWatch;
  readonly #refusals: Refusals;
  readonly #answers: AnswerPoll;
  readonly #wake: Wake;
  #running: Promise<void> | undefined;
  #draining = false;
  #isExchanging = false;
  #killedAt: number | undefined;

  constructor(options: WorkLoopOptions) {
    const wake = () => this.#wake.wake();
    this.#options = options;
    this.#wake = new Wake(options.clock);
    this.#answers = new AnswerPoll(options.clock);
    this.#refusals = new Refusals(options);
    this.#inFlight = new InFlight({ ...options, onEnded: (result) => this.#noteEnded(result) });
    this.#settlements = new Settlements({ ...options, refusals: this.#refusals });
    this.#flow = new FlowWatch({ ...options, onProbed: wake });
    this.#claiming = new Claiming({
      ...options,
      onAwaited: (claim) => this.#begin(claim, true),
      onError: (error) => this.#noteUnavailable(error),
      onWaited: wake,
    });
    const parts = { inFlight: this.#inFlight, settlements: this.#settlements, claiming: this.#claiming };
    this.#slots = new Slots({ ...options, ...parts, wake });
  }

  /**
   * `consumedAt`: when a message was last claimed or the queue proved empty, monotonic ms. `knowsItsClaims`: no reply was
   * lost since they were compared with Redis.
   */
  get facts() {
    const { consumedAt, isQuieted: isStopping } = this.#claiming;
    const knowsItsClaims = !this.#settlements.isInDoubt;
    return { inFlight: this.#slots.begun, slotsFull: this.#slots.areFull, consumedAt, isStopping, knowsItsClaims };
  }

  /** Of those whose attempt has not ended; the oldest first. */
  get claims(): readonly Claim[] {
    return this.#inFlight.claims;
  }

  start(): void {
    if (!this.#draining) this.#running ??= this.#run();
  }

  /** Claims nothing more. Resolves when no claim is under way. */
  async quiet(): Promise<void> {
    this.#claimNoMore();
    await this.#claiming.endWait();
  }

  /** Resolves when everything in flight is settled, or handed back because the deadline passed. */
  async drain(deadlineMs: number): Promise<void> {
    const deadline = this.#options.clock.after(deadlineMs, () => this.kill());
    if (this.#inFlight.size > 0) this.#options.log.info(`Waiting for ${this.#inFlight.size} tasks to complete...`);
    await this.#end();
    deadline.cancel();
  }

  /** Cuts every delivery and hands its message back. `drain` resolves when that is done. */
  kill(): void {
    if (this.#killedAt !== undefined) return;
    const { clock, log, statusUpdates } = this.#options;
    this.#killedAt = clock.now();
    this.#claimNoMore();
    if (this.#inFlight.size > 0) log.warn(`Handing ${this.#inFlight.size} unfinished message(s) back to the queue`);
    this.#inFlight.cut();
    void statusUpdates.stop();
  }

  async stop(): Promise<void> {
    this.kill();
    await this.#end();
  }

  #claimNoMore(): void {
    this.#claiming.quiet();
    this.#options.held.handBack();
    this.#flow.quiet();
    this.#wake.wake();
  }

  async #end(): Promise<void> {
    this.#draining = true;
    await this.quiet();
    await this.#running;
    await this.#options.statusUpdates.idle();
  }

  async #run(): Promise<void> {
    const { clock, onTurn } = this.#options;
    // an exchange of 50 MB over a slow link takes minutes, and a loop that waits for its end does not hang
    const alive = clock.every(TICK_MS, () => void (this.#isExchanging && onTurn()));
    try {
      while (!this.#isDone()) {
        onTurn();
        if (!(await this.#turn())) await this.#rest();
        // answers that arrived together are settled together
        await endOfTurn();
      }
    } finally {
      alive.cancel();
    }
  }

  #isDone(): boolean {
    if (!this.#draining) return false;
    if (this.#inFlight.size === 0 && this.#settlements.count === 0 && !this.#claiming.isWaiting) return true;
    return this.#killedAt !== undefined && this.#options.clock.now() - this.#killedAt > HAND_BACK_MS;
  }

  /** One step of the loop; false = there is nothing to do until something happens. */
  async #turn(): Promise<boolean> {
    const { queue } = this.#options;
    if (!queue.isReady()) {
      this.#settlements.doubt();
      await queue.whenReady(TICK_MS);
      return true;
    }
    if (this.#refusals.isPause) return false;
    try {
      if (this.#settlements.auditIsDue) return await this.#audit();
      if (this.#flow.look()) this.#claiming.flowChanged();
      if (this.#slots.review() === 'reserved') await this.#claiming.endWait();
      const want = this.#slots.room();
      if (this.#slots.exchangeIsDue || (want > 0 && this.#claiming.isAsking)) return await this.#exchange(want);
      if (want > 0) this.#claiming.wait();
    } catch (error) {
      this.#noteUnavailable(error);
    }
    return false;
  }

  async #rest(): Promise<void> {
    const untilProbe = (this.#refusals.isPause ? undefined : this.#flow.probeDueInMs()) ?? TICK_MS;
    await this.#wake.sleep(Math.min(this.#claiming.restMs(TICK_MS), untilProbe));
    this.#claiming.rested();
  }

  async #exchange(want: number): Promise<boolean> {
    const settlements = this.#killedAt === undefined ? this.#settlements.take() : this.#settlements.takeNewest();
    let exchange: Exchange;
    this.#answers.sent();
    this.#slots.expect(want);
    this.#isExchanging = true;
    try {
      exchange = await this.#options.queue.exchange({ settlements, want, inFlight: this.#inFlight.size });
    } catch (error) {
      this.#settlements.putBack();
      this.#slots.expectNone();
      throw error;
    } finally {
      this.#isExchanging = false;
    }
    this.#answers.answered();
    this.#settlements.settled(exchange);
    const refusal = exchange.claimRefusal;
    this.#claiming.asked(refusal === undefined ? want : 0, exchange);
    for (const claim of exchange.claims) this.#begin(claim);
    this.#slots.admit();
    if (refusal !== undefined) this.#noteRefusal(`Redis refuses to hand out a message: ${refusal}`);
    return this.#settlements.refusedCount === 0;
  }

  #begin(claim: Claim, wasAwaited = false): void {
    if (this.#claiming.mayDeliver) this.#inFlight.deliver(claim, wasAwaited);
    else this.#settlements.handBack(claim);
  }

  #noteEnded(result: AttemptResult): void {
    if (this.#inFlight.size === 0) this.#claiming.endSolo();
    this.#settlements.add(result);
    this.#answers.answered();
    this.#wake.wake();
  }

  async #audit(): Promise<boolean> {
    await this.#claiming.endWait();
    await this.#settlements.audit(this.#inFlight.claims);
    this.#claiming.recheck();
    return true;
  }

  #noteUnavailable(error: unknown): void {
    if (!(error instanceof RedisUnavailableError)) throw error;
    if (error.outcomeUnknown) return this.#settlements.doubt();
    if (!this.#options.queue.isReady()) return;
    this.#noteRefusal(error.message);
  }

  #noteRefusal(text: string): void {
    // a full Redis refuses the blocking pop and not the script: what comes back from retry must not wait for it
    this.#claiming.recheck();
    this.#refusals.pause();
    this.#refusals.say(text);
  }
}
