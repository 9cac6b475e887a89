/** A limiter that counts within whole seconds, as the middleware that is usual beside FastAPI does. */
const WINDOW_MS = 1_000;

export class RateLimit {
  #windowAtMs = -Infinity;
  #count = 0;

  /** Takes one of `most` per second; returns the milliseconds to wait when there is none left, else 0. */
  take(most: number, nowMs = performance.now()): number {
    if (most === 0) return 0;
    if (nowMs - this.#windowAtMs >= WINDOW_MS) [this.#windowAtMs, this.#count] = [nowMs, 0];
    this.#count += 1;
    return this.#count <= most ? 0 : this.#windowAtMs + WINDOW_MS - nowMs;
  }
}
