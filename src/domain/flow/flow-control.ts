/**
 * Whether messages may flow to the main server, and how many at once.
 *
 *   flowing ──429 or 503 with Retry-After──▶ held ──its time is over──▶ flowing, a 503 from one in flight
 *   flowing ──breaker opens──▶ cut off ──breaker closes──▶ flowing, from one in flight
 *
 * flowing: up to `limit` in flight: what concurrency-limit.ts finds, or WORKER_CONCURRENCY where the control is fixed. A
 *          429 halves it, and so does a time-out, unless other deliveries or /health show that the server is well.
 * held:    nothing is claimed and nothing probed. No message's time changes: they wait in the queue.
 * cut off: circuit-breaker.ts.
 *
 * Where all in flight hang and there are fewer of them than at the start, the server is asked for its health: if it is
 * well, the messages are what hangs, and as many as at the start may be begun.
 *
 * Outcomes of what was begun before the last cut say nothing of how the server is now, and are left out.
 *
 * Owned by one worker. Times are monotonic milliseconds.
 */
import type { DeliveryOutcome } from '../delivery-outcome.js';
import { CircuitBreaker, type ProbeResult } from './circuit-breaker.js';
import { ConcurrencyLimit } from './concurrency-limit.js';
import type { FleetShare } from './fleet-share.js';
import type { Pace } from './pace.js';

/** What holds the flow: why there are not more in flight. `demand`: no more were needed so far. */
export const FLOW_HOLDS = ['concurrency', 'demand', 'server', 'fleet_cap', 'rate', 'retry_after', 'breaker'] as const;
export type FlowHold = (typeof FLOW_HOLDS)[number];

/** For operators. */
export interface FlowFacts {
  /** How many deliveries may be in flight while messages flow. */
  readonly limit: number;
  readonly heldBy: FlowHold;
}

const STALLED_AFTER_MS = 500;
const ASK_STALLED_EVERY_MS = 5_000;

export class FlowControl {
  readonly breaker: CircuitBreaker;
  readonly #options: FlowControlOptions;
  readonly #adaptive: ConcurrencyLimit | undefined;
  #heldUntil = -Infinity;
  #newest = 0;
  /** The last ticket before the last cut, and before the limit was halved. */
  #beforeCut = 0;
  #beforeHalf = 0;
  #inFlight = 0;
  /** When one was begun or answered. */
  #movedAt = 0;
  #stallAskedAt = -Infinity;

  constructor(options: FlowControlOptions) {
    const { concurrency: most, control, share, random, loopBusyMs } = options;
    this.#options = options;
    this.breaker = new CircuitBreaker({ random });
    this.#adaptive = control === 'adaptive' ? new ConcurrencyLimit({ most, share, loopBusyMs }) : undefined;
  }

  /** How many may be in flight while messages flow, without the fleet's cap. */
  get limit(): number {
    return this.#adaptive?.limit ?? this.#options.concurrency;
  }

  facts(now: number): FlowFacts {
    const { limit } = this;
    return { limit: Math.min(limit, this.#options.share.inFlightCap ?? limit), heldBy: this.heldBy(now) };
  }

  heldBy(now: number): FlowHold {
    const { concurrency, share, pace } = this.#options;
    if (this.holdMs(now) > 0) return 'retry_after';
    if (this.breaker.state !== 'closed') return 'breaker';
    // a worker without a part of the cap asks for no tokens
    if (pace.isHolding && share.inFlightCap !== 0) return 'rate';
    if (share.inFlightCap !== undefined && share.inFlightCap < this.limit) return 'fleet_cap';
    if (this.limit >= concurrency) return 'concurrency';
    return this.#adaptive?.isHeld ? 'server' : 'demand';
  }

  /** For how long the server asked to be left alone, from now on; 0 = not. */
  holdMs(now: number): number {
    return Math.max(0, this.#heldUntil - now);
  }

  /** More would have been begun if the limit had been higher. */
  full(): void {
    this.#adaptive?.full();
  }

  /** Call before each delivery, and `record` with its ticket after it, whatever came of it. */
  begin(now: number): number {
    this.#inFlight += 1;
    this.#movedAt = now;
    return (this.#newest = this.breaker.begin());
  }

  /** `ms`: how long it took. */
  record(ticket: number, outcome: DeliveryOutcome, ms: number, now: number): void {
    this.#inFlight -= 1;
    this.#movedAt = now;
    this.recordStatus(ticket, outcome, now);
    if (this.#adaptive && ticket > this.#beforeCut && isMeasure(outcome)) this.#adaptive.answered(ms, now);
  }

  /** Of anything else that the server was asked, begun with a ticket of the breaker. */
  recordStatus(ticket: number, outcome: DeliveryOutcome, now: number): void {
    const before = this.breaker.state;
    this.breaker.record(ticket, outcome, now);
    if (outcome.kind !== 'failed') return;
    if (outcome.retryAfterMs !== undefined) this.#hold(outcome.retryAfterMs, outcome.reason, now);
    if (outcome.reason === 'http_429' && ticket > this.#beforeHalf) this.#halve(now);
    if (before !== 'open' && this.breaker.state === 'open') this.#restart(now);
  }

  /** Milliseconds until the next probe is due, 0 when it is overdue; undefined while none is wanted. */
  probeDueInMs(now: number): number | undefined {
    const due = this.breaker.probeDueInMs(now) ?? this.#stalledInMs(now);
    return due === undefined ? undefined : Math.max(due, this.holdMs(now));
  }

  /** The end of a probe; one at a time. */
  probed(result: ProbeResult, now: number): void {
    const { breaker } = this;
    const { state, isInDoubt } = breaker;
    this.#stallAskedAt = now;
    breaker.probed(result, now);
    if (state !== 'closed') return;
    if (breaker.state === 'open') this.#restart(now);
    else if (result === 'reachable' || result === 'unsupported') this.#adaptive?.pass();
    else if (isInDoubt) this.#halve(now);
  }

  #stalledInMs(now: number): number | undefined {
    if (!this.#adaptive || this.#inFlight < this.limit || !this.#adaptive.isBelowFirst) return undefined;
    if (this.breaker.state !== 'closed') return undefined;
    const at = Math.max(this.#movedAt + STALLED_AFTER_MS, this.#stallAskedAt + ASK_STALLED_EVERY_MS);
    return Math.max(0, at - now);
  }

  #hold(ms: number, reason: string, now: number): void {
    if (reason !== 'http_429' && this.holdMs(now) === 0) this.#restart(now);
    this.#heldUntil = Math.max(this.#heldUntil, now + ms);
  }

  #halve(now: number): void {
    this.#beforeHalf = this.#newest;
    this.#adaptive?.halve(now);
  }

  #restart(now: number): void {
    this.#beforeCut = this.#newest;
    this.#adaptive?.restart(now);
  }
}

/**
 * Its time says how long the server takes. That of a message that it does not know does not: such answers are quick, and
 * would make all others look slow.
 */
function isMeasure(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'delivered' || (outcome.kind === 'failed' && outcome.reachable && !outcome.messageUnknown);
}

interface FlowControlOptions {
  /** WORKER_CONCURRENCY. */
  readonly concurrency: number;
  /** WORKER_CONCURRENCY_CONTROL. */
  readonly control: 'adaptive' | 'fixed';
  readonly share: FleetShare;
  /** Of MAIN_SERVER_MAX_RATE, which says nothing of the limit and may keep it from being used. */
  readonly pace: Pick<Pace, 'isHolding'>;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** For how long our event loop has had work since some moment, in ms. */
  readonly loopBusyMs: () => number;
}
