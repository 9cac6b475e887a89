/** When the main server is away by plan, and how slow it is once it is back. */
import type { Faults } from './faults.js';

/** A request right after an outage takes so many times as long: connections and caches are cold. */
const SLOW_AT_FIRST = 5;

export class Outages {
  readonly #faults: Pick<Faults, 'outageEveryMs' | 'outageForMs' | 'slowStartMs'>;
  readonly #now: () => number;
  readonly #startedAtMs: number;
  #wasOut = false;
  #backAtMs = -Infinity;

  constructor(faults: Pick<Faults, 'outageEveryMs' | 'outageForMs' | 'slowStartMs'>, now: () => number) {
    this.#faults = faults;
    this.#now = now;
    this.#startedAtMs = now();
  }

  /** Milliseconds until the planned outage ends; 0 = there is none now. */
  leftMs(): number {
    const { outageEveryMs: every, outageForMs: lasts } = this.#faults;
    if (every === 0 || lasts === 0) return 0;
    const at = (this.#now() - this.#startedAtMs) % every;
    return at >= every - lasts ? every - at : 0;
  }

  /** A request was refused as by a server that is away. */
  refused(): void {
    this.#wasOut = true;
  }

  /** How many times as long as usual the request that is served now takes. */
  slowness(): number {
    if (this.#wasOut) this.#backAtMs = this.#now();
    this.#wasOut = false;
    const { slowStartMs } = this.#faults;
    if (slowStartMs === 0) return 1;
    const left = Math.max(0, 1 - (this.#now() - this.#backAtMs) / slowStartMs);
    return 1 + (SLOW_AT_FIRST - 1) * left;
  }

  clear(): void {
    this.#wasOut = false;
    this.#backAtMs = -Infinity;
  }
}
