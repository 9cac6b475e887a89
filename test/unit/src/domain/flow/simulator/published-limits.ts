/** What the controller is compared with: published algorithms, as their authors' code has them, and a fixed limit. */
import type { Limiter } from './simulated-worker.js';

export class FixedLimit implements Limiter {
  constructor(readonly limit: number) {}
  begin = (): number => 0;
  full = (): void => undefined;
  answered = (): void => undefined;
  halve = (): void => undefined;
}

abstract class PublishedLimit implements Limiter {
  protected estimate: number;
  #inFlight = 0;

  constructor(
    protected readonly most: number,
    initial: number,
  ) {
    this.estimate = Math.min(most, initial);
  }

  get limit(): number {
    return Math.max(1, Math.floor(this.estimate));
  }

  begin(): number {
    this.#inFlight += 1;
    return this.#inFlight;
  }

  full(): void {
    // both look at how much was in flight instead
  }

  answered(ticket: number, ms: number): void {
    this.#inFlight -= 1;
    this.update(ms, ticket);
  }

  halve(): void {
    this.#inFlight -= 1;
    this.estimate = Math.max(1, this.estimate / 2);
  }

  protected abstract update(ms: number, inFlight: number): void;
}

/** VegasLimit of Netflix's concurrency-limits 0.5: alpha 3 log10(limit), beta 6 log10(limit), smoothing 1. */
export class NetflixVegas extends PublishedLimit {
  #leastMs = Infinity;
  #probeIn: number;
  readonly #random: () => number;

  constructor(most: number, random: () => number) {
    super(most, 20);
    this.#random = random;
    this.#probeIn = this.#nextProbe();
  }

  protected update(ms: number, inFlight: number): void {
    this.#probeIn -= 1;
    if (this.#probeIn <= 0) {
      this.#probeIn = this.#nextProbe();
      this.#leastMs = ms;
      return;
    }
    if (ms < this.#leastMs) {
      this.#leastMs = ms;
      return;
    }
    if (inFlight * 2 < this.estimate) return;
    const { estimate } = this;
    const log = Math.max(1, Math.log10(estimate));
    const queue = Math.ceil(estimate * (1 - this.#leastMs / ms));
    let next = estimate;
    if (queue <= log) next += 6 * log;
    else if (queue < 3 * log) next += log;
    else if (queue > 6 * log) next -= log;
    this.estimate = Math.max(1, Math.min(this.most, next));
  }

  #nextProbe(): number {
    return (0.5 + this.#random() * 0.5) * 30 * this.estimate;
  }
}

/** TCP Vegas itself, a decision a round trip: alpha 1, beta 3, the smallest time ever seen. */
export class TcpVegas extends PublishedLimit {
  #leastMs = Infinity;
  #roundLeastMs = Infinity;
  #left = 1;
  #slowStart = true;

  constructor(most: number) {
    super(most, 1);
  }

  protected update(ms: number): void {
    this.#leastMs = Math.min(this.#leastMs, ms);
    this.#roundLeastMs = Math.min(this.#roundLeastMs, ms);
    this.#left -= 1;
    if (this.#left > 0) return;
    const queue = this.estimate * (1 - this.#leastMs / this.#roundLeastMs);
    if (queue > 1) this.#slowStart = false;
    if (this.#slowStart) this.estimate *= 2;
    else if (queue < 1) this.estimate += 1;
    else if (queue > 3) this.estimate -= 1;
    this.estimate = Math.max(1, Math.min(this.most, this.estimate));
    this.#left = this.limit;
    this.#roundLeastMs = Infinity;
  }
}

/** Gradient2Limit of Netflix's concurrency-limits 0.5: tolerance 1.5, queue 4, smoothing 0.2, long window 600. */
export class Gradient2 extends PublishedLimit {
  #longMs = 0;
  #count = 0;

  constructor(most: number) {
    super(most, 20);
  }

  protected update(ms: number, inFlight: number): void {
    this.#count += 1;
    if (this.#count <= 10) this.#longMs += (ms - this.#longMs) / this.#count;
    else this.#longMs += (ms - this.#longMs) * (2 / 601);
    if (this.#longMs / ms > 2) this.#longMs *= 0.95;
    if (inFlight < this.estimate / 2) return;
    const gradient = Math.max(0.5, Math.min(1, (1.5 * this.#longMs) / ms));
    const next = this.estimate * gradient + 4;
    this.estimate = Math.max(1, Math.min(this.most, this.estimate * 0.8 + next * 0.2));
  }
}
