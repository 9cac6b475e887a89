import type { Claim } from '../../queue/message-queue.js';

/** What is claimed and held: until then, nothing of it has reached the main server. Only what waits is noted here. */
export class NotBegun {
  readonly #claims = new Set<Claim>();

  has(claim: Claim): boolean {
    return this.#claims.has(claim);
  }

  /** It is held as long as `wait` lasts. */
  async while<T>(claim: Claim, wait: Promise<T>): Promise<T> {
    this.#claims.add(claim);
    try {
      return await wait;
    } finally {
      this.#claims.delete(claim);
    }
  }
}
