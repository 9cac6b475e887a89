import type { Events } from './events.js';

interface SimulatedServerOptions {
  /** How many it works on at once; the others wait in the order in which they came. */
  readonly parallel: number;
  /** How long it works on a request that it begins now. */
  readonly serviceMs: (now: number) => number;
  /** Each request that finds so many in flight blocks everything for FREEZE_MS, as the original's pool does. */
  readonly freezesBeyond?: number;
  /** There and back. */
  readonly networkMs: number;
}

const FREEZE_MS = 30_000;

/** A main server, as far as the time of its answers goes. */
export class SimulatedServer {
  readonly #events: Events;
  readonly #options: SimulatedServerOptions;
  readonly #waiting: (() => void)[] = [];
  #working = 0;
  #frozenUntil = 0;
  inFlight = 0;
  mostInFlight = 0;
  freezes = 0;

  constructor(events: Events, options: SimulatedServerOptions) {
    this.#events = events;
    this.#options = options;
  }

  post(answered: () => void): void {
    this.#events.after(this.#options.networkMs / 2, () => this.#arrived(answered));
  }

  #arrived(answered: () => void): void {
    const { now } = this.#events;
    const { freezesBeyond = Infinity } = this.#options;
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    if (this.inFlight > freezesBeyond) {
      this.freezes += 1;
      this.#frozenUntil = Math.max(now, this.#frozenUntil) + FREEZE_MS;
    }
    this.#waiting.push(answered);
    this.#work();
  }

  #work(): void {
    const { parallel, serviceMs } = this.#options;
    if (this.#working >= parallel) return;
    const next = this.#waiting.shift();
    if (!next) return;
    this.#working += 1;
    this.#events.after(serviceMs(this.#events.now), () => this.#worked(next));
  }

  #worked(answered: () => void): void {
    if (this.#events.now < this.#frozenUntil) {
      this.#events.at(this.#frozenUntil, () => this.#worked(answered));
      return;
    }
    this.#working -= 1;
    this.inFlight -= 1;
    this.#events.after(this.#options.networkMs / 2, answered);
    this.#work();
  }
}
