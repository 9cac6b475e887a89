/** Which messages the main server knows already: the proxy registers a message some time after it has enqueued it. */
import type { Faults } from './faults.js';

interface Registration {
  readonly enqueuedAtMs: number;
  /** 0 to 1: how late it is within what is usual. */
  readonly share: number;
}

/** Older ones are forgotten, and then are late once more. */
const MOST = 200_000;

export class Registrations {
  readonly #known = new Map<string, Registration>();

  /** It is in the queue from now on; the first call counts. */
  enqueued(id: string, nowMs = performance.now()): void {
    if (this.#known.has(id)) return;
    this.#known.set(id, { enqueuedAtMs: nowMs, share: Math.random() });
    if (this.#known.size <= MOST) return;
    for (const oldest of this.#known.keys()) return void this.#known.delete(oldest);
  }

  /** A message that was not enqueued here was with the first question. @param askedAtMs performance.now() */
  isKnown(id: string, askedAtMs: number, { unknownForMs, unknownSpreadMs, unknownIds }: Faults): boolean {
    if (unknownIds.has(id)) return false;
    if (unknownForMs === 0 && unknownSpreadMs === 0) return true;
    this.enqueued(id, askedAtMs);
    const { enqueuedAtMs, share } = this.#known.get(id) ?? { enqueuedAtMs: 0, share: 0 };
    return performance.now() - enqueuedAtMs >= unknownForMs + share * unknownSpreadMs;
  }

  clear(): void {
    this.#known.clear();
  }
}
