import type { DeliveryOutcome, FailureReason } from '../delivery-outcome.js';

const DISBELIEVE_AFTER = 6;
const DOUBT_EVERY_MS = 1_000;

/**
 * Stops claiming while the main server cannot be reached, so that unclaimed messages spend no attempts.
 *
 *   closed ──(`threshold` unreachable outcomes in a row, one of them no time-out)──▶ open
 *   closed ──(`threshold` time-outs in a row; probe: unreachable, unhealthy)──▶ open
 *   closed ──(a time-out; probe: reachable or unsupported)──▶ closed, as if it had been reached
 *   open ──(probe: reachable or unsupported)──▶ half-open
 *   open ──(probe: unreachable, unhealthy)──▶ open, next probe 4 to 5 s after the last
 *   half-open ──(outcome of its trial: reachable)──▶ closed
 *   half-open ──(outcome of its trial: unreachable)──▶ open
 *   half-open ──(trial aborted)──▶ half-open, free for another trial
 *   half-open ──(nothing to try, and the probe said reachable)──▶ closed
 *
 * closed:    claim as much as there are free slots. A time-out may be of a message on which the server hangs while it
 *            answers all others, so it is asked, at most once a second; after `threshold` of them nothing is claimed until
 *            it has been.
 * open:      claim nothing; one probe when `probeDueInMs` says so. GET /health where the server has it; where it has
 *            not, the trial itself is the probe.
 * half-open: claim one message, the trial; nothing while it is in flight. Where the queue is empty the word of /health
 *            is enough: another worker may have emptied it, and this one would call itself cut off until the next message.
 *
 * A server that calls itself unhealthy may deliver all the same (a part of it that deliveries do not need is down), so
 * every sixth such probe in a row, about every 30 s, counts as reachable: or we could be deaf for ever.
 *
 * "Reachable" is any answer but 429, 502, 503 and 504: a trial that meets a 404 closes the breaker too.
 *
 * Up to `concurrency` requests are in flight when it opens, and their outcomes come in up to 30 s later. They say how the
 * server was when they started, so they must neither close it nor pass for the trial: `begin` hands each attempt a
 * number, and what comes back with one from before the last change of state is dropped.
 *
 * Owned by one worker. Times are monotonic milliseconds.
 */
export class CircuitBreaker {
  #state: BreakerState = 'closed';
  #newest = 0;
  /** The last ticket before this state. */
  #before = 0;
  #unreachableInARow = 0;
  /** All of those were time-outs. */
  #onlyTimeouts = true;
  #inDoubt = false;
  #doubtAskedAt = -Infinity;
  #unhealthyInARow = 0;
  /** Tickets of this state that were handed out and did not come back; kept for half-open. */
  #trials = 0;
  /** The last probe was answered by a /health that says so. */
  #saidReachable = false;
  #probeDueAt = 0;
  #lastReason: FailureReason | undefined;
  readonly #threshold: number;
  readonly #probeIntervalMs: number;
  readonly #random: () => number;

  constructor({ threshold = 10, probeIntervalMs = 5000, random }: BreakerOptions) {
    this.#threshold = threshold;
    this.#probeIntervalMs = probeIntervalMs;
    this.#random = random;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** The server is to be asked whether it, or only a message, hangs. */
  get isInDoubt(): boolean {
    return this.#inDoubt;
  }

  /** Of the newest unreachable outcome that counted; undefined once the server was reached. */
  get lastReason(): FailureReason | undefined {
    return this.#lastReason;
  }

  /** How many messages may be claimed now. */
  allowance(): 'all' | 'one' | 'none' {
    if (this.#state === 'closed') return this.#unreachableInARow < this.#threshold ? 'all' : 'none';
    return this.#state === 'half-open' && this.#trials === 0 ? 'one' : 'none';
  }

  /** Call before each attempt, and `record` after it, whatever came of it: a half-open breaker waits for its trial. */
  begin(): number {
    if (this.#state === 'half-open') this.#trials++;
    return (this.#newest += 1);
  }

  record(ticket: number, outcome: DeliveryOutcome, now: number): void {
    if (ticket <= this.#before || this.#state === 'open') return;
    if (this.#state === 'half-open') this.#trials--;
    if (outcome.kind === 'aborted') return;
    if (outcome.kind === 'delivered' || outcome.reachable) this.#reached();
    else this.#missed(outcome.reason, now);
  }

  /** Milliseconds until the next probe is due, 0 when it is overdue; undefined while none is wanted. */
  probeDueInMs(now: number): number | undefined {
    if (this.#state === 'open') return Math.max(0, this.#probeDueAt - now);
    return this.#inDoubt ? Math.max(0, this.#doubtAskedAt + DOUBT_EVERY_MS - now) : undefined;
  }

  /** The end of a probe; one at a time. One that ends after the breaker left `open` changes nothing. */
  probed(result: ProbeResult, now: number): void {
    if (this.#state === 'closed') return this.#answerDoubt(result, now);
    if (this.#state !== 'open') return;
    this.#saidReachable = result === 'reachable';
    this.#unhealthyInARow = result === 'unhealthy' ? this.#unhealthyInARow + 1 : 0;
    const believed = result === 'unhealthy' && this.#unhealthyInARow % DISBELIEVE_AFTER !== 0;
    if (result === 'unreachable' || believed) this.#probeDueAt = Math.max(now, this.#probeDueAt + this.#jittered());
    else this.#enter('half-open');
  }

  /** A half-open breaker that may claim its trial found none. */
  nothingToTry(): void {
    if (this.#state === 'half-open' && this.#trials === 0 && this.#saidReachable) this.#reached();
  }

  #answerDoubt(result: ProbeResult, now: number): void {
    if (!this.#inDoubt) return;
    this.#inDoubt = false;
    this.#doubtAskedAt = now;
    if (result === 'reachable' || result === 'unsupported') this.#reached();
    else if (this.#unreachableInARow >= this.#threshold) this.#open(now);
  }

  #reached(): void {
    this.#unreachableInARow = 0;
    this.#onlyTimeouts = true;
    this.#inDoubt = false;
    this.#lastReason = undefined;
    if (this.#state === 'half-open') this.#enter('closed');
  }

  #missed(reason: FailureReason, now: number): void {
    this.#unreachableInARow++;
    this.#lastReason = reason;
    if (reason !== 'timeout') this.#onlyTimeouts = false;
    if (this.#state === 'half-open') return this.#open(now);
    this.#inDoubt = this.#onlyTimeouts;
    if (!this.#onlyTimeouts && this.#unreachableInARow >= this.#threshold) this.#open(now);
  }

  #open(now: number): void {
    this.#probeDueAt = now + this.#jittered();
    this.#enter('open');
  }

  #enter(state: BreakerState): void {
    this.#state = state;
    this.#before = this.#newest;
    this.#trials = 0;
    this.#inDoubt = false;
    if (state === 'closed') this.#unreachableInARow = 0;
  }

  /**
   * 80 to 100 % of the interval, so that many workers do not probe in step. Counted from when the last probe was due and
   * not from its end, so a probe that hangs until its timeout does not stretch the interval.
   */
  #jittered(): number {
    return this.#probeIntervalMs * (0.8 + 0.2 * this.#random());
  }
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * What GET /health of the main server showed; `unhealthy` = it answered with 429, 502, 503 or 504, `unsupported` = it
 * answered, but has no such route.
 */
export type ProbeResult = 'reachable' | 'unhealthy' | 'unreachable' | 'unsupported';

interface BreakerOptions {
  /** Unreachable outcomes in a row that open it. */
  readonly threshold?: number;
  /** The longest time between two probes. */
  readonly probeIntervalMs?: number;
  /** From 0 to below 1. */
  readonly random: () => number;
}
