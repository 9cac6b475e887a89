/** Which messages the main server knows already: the proxy registers a message some time after it has enqueued it. */
import type { Faults } from './faults.js';

interface Registration {
  readonly enqueuedAtMs: number;
  /** 0 to 1: how late it is within what is usual. */
  readonly share: number;
}

type Lateness = Pick<Faults, 'unknownForMs' | 'unknownSpreadMs'>;

/** Older ones are forgotten, and then are late once more. */
const MOST = 200_000;

export class Registrations {
  readonly #known = new Map<string, Registration>();

  /** It is in the queue from now on; the first call counts. @returns when it is known, performance.now() ms */
  enqueued(id: string, { unknownForMs, unknownSpreadMs }: Lateness, nowMs = performance.now()): number {
    const known = this.#known.get(id) ?? this.#add(id, nowMs);
    return known.enqueuedAtMs + unknownForMs + known.share * unknownSpreadMs;
  }

  /** A message that was not enqueued here was with the first question. @param askedAtMs performance.now() */
  isKnown(id: string, askedAtMs: number, faults: Lateness & Pick<Faults, 'unknownIds'>): boolean {
    if (faults.unknownIds.has(id)) return false;
    if (faults.unknownForMs === 0 && faults.unknownSpreadMs === 0) return true;
    return performance.now() >= this.enqueued(id, faults, askedAtMs);
  }

  #add(id: string, enqueuedAtMs: number): Registration {
    const added = { enqueuedAtMs, share: Math.random() };
    this.#known.set(id, added);
    if (this.#known.size > MOST) this.#forgetOldest();
    return added;
  }

  #forgetOldest(): void {
    for (const oldest of this.#known.keys()) return void this.#known.delete(oldest);
  }

  clear(): void {
    this.#known.clear();
  }
}
