/**
 * Whether a consumer may begin a message, by what it knows of the pause of all deliveries. Pure: times are handed in.
 *
 *   open ──stood still for over 1 s, or a hint──▶ in doubt ──a look begun since then finds no pause──▶ open
 *     ▲  └──────────a look finds a pause──────────▶ shut ◀──────finds one──────┘
 *     └──────────────a look finds none───────────────┘
 *
 * Whoever stood still may have been given up by those who wait for all to confirm the pause: so nothing is begun by what
 * was known before. Only a look shuts and opens; hints come from exchanges and blocking pops, which look in passing.
 */
const STALL_MS = 1_000;

interface Instant {
  /** Monotonic ms. */
  readonly now: number;
  /** Milliseconds since the Unix epoch. */
  readonly wallNow: number;
}

export class PauseGate {
  #state: 'open' | 'in doubt' | 'shut' = 'open';
  #doubts = 0;
  #awakeAt: Instant | undefined;
  #lookedAt = -Infinity;

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isShut(): boolean {
    return this.#state === 'shut';
  }

  /** Changes with each doubt: a look that began under another number does not end it. */
  get doubts(): number {
    return this.#doubts;
  }

  /** Proves that the process runs; a suspended host shows on the wall clock alone. */
  awake(at: Instant): void {
    const before = this.#awakeAt;
    this.#awakeAt = at;
    if (before && Math.max(at.now - before.now, at.wallNow - before.wallNow) > STALL_MS) this.doubt();
  }

  doubt(): void {
    this.#doubts += 1;
    if (this.isOpen) this.#state = 'in doubt';
  }

  /** Was there a look within the last second? What was held for longer than that is not begun without one. */
  hasLooked(now: number): boolean {
    return now - this.#lookedAt <= STALL_MS;
  }

  /** In passing there was no pause. */
  sawNone(now: number): void {
    if (this.isOpen) this.#lookedAt = now;
  }

  /** What a look found that began when `doubts` was so many. */
  found(isPaused: boolean, { doubts, now }: { readonly doubts: number; readonly now: number }): void {
    this.#lookedAt = now;
    if (isPaused) this.#state = 'shut';
    else if (doubts === this.#doubts) this.#state = 'open';
    else if (this.isShut) this.#state = 'in doubt';
  }
}
