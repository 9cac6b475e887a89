/**
 * Whose lease is over, as one observer sees it. Pure: the times are the observer's own monotonic ones.
 *
 *   unknown ──first seen──▶ standing ──another score──▶ standing, from then on
 *                              └──13 s──▶ over
 *
 * A renewal always changes the score, so one that has stood still for the length of a lease was not renewed, whatever the
 * clocks of Redis and of all hosts say. Only time in which the observer looked counts, and in which Redis took writes: while
 * it did not, nobody could renew. After a gap the count begins again, and not before the others have had time to come back.
 */

/** How long a score stands still until its lease is over; renewed three times meanwhile, with one second to spare. */
export const LEASE_MS = 13_000;
/** Looks further apart than this leave a gap: Redis, or this process, was away. */
const GAP_MS = 3_500;
/** Time for the others to renew once Redis answers again: one renewal of 4 s and its reconnection. */
const HOLD_OFF_MS = 6_000;

/** One consumer in the register. `score` is its text, which is only ever compared. */
interface SeenLease {
  readonly consumer: string;
  readonly score: string;
}

/** One look at the register, monotonic ms: Redis answered with what was there at some moment between the two. */
interface LookTimes {
  readonly sentAt: number;
  readonly readAt: number;
}

interface Standing {
  readonly score: string;
  readonly since: number;
}

export class LeaseWatch {
  #standing = new Map<string, Standing>();
  #lookedAt: number | undefined;
  #countFrom = -Infinity;

  /** The leases that are over. They stay so until a look finds another score. */
  look(leases: readonly SeenLease[], { sentAt, readAt }: LookTimes): SeenLease[] {
    if (this.#lookedAt !== undefined && readAt - this.#lookedAt > GAP_MS) this.beginAgain(readAt);
    this.#lookedAt = sentAt;
    const from = Math.max(readAt, this.#countFrom);
    const standing = new Map<string, Standing>();
    for (const { consumer, score } of leases) {
      const before = this.#standing.get(consumer);
      standing.set(consumer, before?.score === score ? before : { score, since: from });
    }
    this.#standing = standing;
    return leases.filter(({ consumer }) => sentAt - (standing.get(consumer)?.since ?? sentAt) >= LEASE_MS);
  }

  /** Redis refused a write, or did not answer: what was seen so far proves nothing. */
  beginAgain(now: number): void {
    this.#standing.clear();
    this.#countFrom = now + HOLD_OFF_MS;
  }

  /** Until the next lease is over if nothing changes; undefined = none is known that still counts. */
  dueInMs(now: number): number | undefined {
    let soonest: number | undefined;
    for (const { since } of this.#standing.values()) {
      const due = since + LEASE_MS - now;
      if (due > 0 && due < (soonest ?? Infinity)) soonest = due;
    }
    return soonest;
  }
}
