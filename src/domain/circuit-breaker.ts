import type { DeliveryOutcome, FailureReason } from './delivery-outcome.js';

const DISBELIEVE_AFTER = 6;

/**
 * Stops claiming while the main server cannot be reached, so that unclaimed messages spend no attempts.
 *
 *   closed ──(`threshold` unreachable outcomes in a row)──▶ open
 *   open ──(probe: reachable or unsupported)──▶ half-open
 *   open ──(probe: unreachable, unhealthy)──▶ open, next probe 4 to 5 s after the last
 *   half-open ──(outcome of its trial: reachable)──▶ closed
 *   half-open ──(outcome of its trial: unreachable)──▶ open
 *   half-open ──(trial aborted)──▶ half-open, free for another trial
 *   half-open ──(nothing to try, and the probe said reachable)──▶ closed
 *
 * closed:    claim as much as there are free slots.
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
 * server was when they started, so they must neither close it nor pass for the trial: `begin` hands each attempt the
 * number of the present phase (a phase ends with each change of state), and an outcome from an older phase is dropped.
 *
 * Owned by one worker. Times are monotonic milliseconds.
 */
export class CircuitBreaker {
  #state: BreakerState = 'closed';
  #phase = 0;
  #unreachableInARow = 0;
  #unhealthyInARow = 0;
  /** Attempts of this phase that were begun and not yet recorded; kept for half-open. */
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

  /** Of the newest unreachable outcome that counted; undefined once the server was reached. */
  get lastReason(): FailureReason | undefined {
    return this.#lastReason;
  }

  /** How many messages may be claimed now. */
  allowance(): 'all' | 'one' | 'none' {
    if (this.#state === 'closed') return 'all';
    return this.#state === 'half-open' && this.#trials === 0 ? 'one' : 'none';
  }

  /** Call before each attempt, and `record` after it, whatever came of it: a half-open breaker waits for its trial. */
  begin(): Attempt {
    if (this.#state === 'half-open') this.#trials++;
    return { phase: this.#phase };
  }

  record(attempt: Attempt, outcome: DeliveryOutcome, now: number): void {
    if (attempt.phase !== this.#phase || this.#state === 'open') return;
    if (this.#state === 'half-open') this.#trials--;
    if (outcome.kind === 'aborted') return;
    if (outcome.kind === 'delivered' || outcome.reachable) this.#reached();
    else this.#missed(outcome.reason, now);
  }

  /** Milliseconds until the next probe is due, 0 when it is overdue; undefined while none is wanted. */
  probeDueInMs(now: number): number | undefined {
    return this.#state === 'open' ? Math.max(0, this.#probeDueAt - now) : undefined;
  }

  /** The end of a probe; one at a time. One that ends after the breaker left `open` changes nothing. */
  probed(result: ProbeResult, now: number): void {
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

  #reached(): void {
    this.#unreachableInARow = 0;
    this.#lastReason = undefined;
    if (this.#state === 'half-open') this.#enter('closed');
  }

  #missed(reason: FailureReason, now: number): void {
    this.#unreachableInARow++;
    this.#lastReason = reason;
    if (this.#state === 'closed' && this.#unreachableInARow < this.#threshold) return;
    this.#probeDueAt = now + this.#jittered();
    this.#enter('open');
  }

  #enter(state: BreakerState): void {
    this.#state = state;
    this.#phase++;
    this.#trials = 0;
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

/** An attempt under way, as the breaker knows it. */
export interface Attempt {
  readonly phase: number;
}

interface BreakerOptions {
  /** Unreachable outcomes in a row that open it. */
  readonly threshold?: number;
  /** The longest time between two probes. */
  readonly probeIntervalMs?: number;
  /** From 0 to below 1. */
  readonly random: () => number;
}
