import type { CountedFailures, FailureGroup } from './failure-group.js';
import { hourOf } from './hours.js';

export interface CountedFailure extends FailureGroup {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly messageId: string;
}

/** What is counted between two writes at most; a queue of a thousand clients that all fail has as many groups. */
const MOST_GROUPS = 1_000;

type Counts = Map<string, CountedFailures>;

/** Failed attempts by what they have in common, hour by hour, until they are written. */
export class FailureTally {
  readonly #hours = new Map<string, Counts>();

  get isEmpty(): boolean {
    return this.#hours.size === 0;
  }

  add({ at, messageId, reason, status, client, domain }: CountedFailure): void {
    const group = { reason, status, client, domain };
    this.#add(hourOf(at), { group, attempts: 1, first: at, last: at, messageId });
  }

  /** What was counted, hour by hour; it is no longer here. */
  take(): readonly (readonly [hour: string, counts: readonly CountedFailures[]])[] {
    const taken = [...this.#hours].map(([hour, counts]) => [hour, [...counts.values()]] as const);
    this.#hours.clear();
    return taken;
  }

  /** It could not be written. */
  putBack(hour: string, counts: readonly CountedFailures[]): void {
    for (const each of counts) this.#add(hour, each);
  }

  #add(hour: string, counted: CountedFailures): void {
    const counts = this.#hours.get(hour) ?? new Map<string, CountedFailures>();
    this.#hours.set(hour, counts);
    const name = counted.group ? JSON.stringify(Object.values(counted.group)) : '';
    if (name !== '' && counts.size >= MOST_GROUPS && !counts.has(name)) {
      return this.#add(hour, { ...counted, group: undefined });
    }
    const before = counts.get(name);
    counts.set(name, before ? sum(before, counted) : counted);
  }
}

/** The example is that of the last attempt. */
function sum(one: CountedFailures, other: CountedFailures): CountedFailures {
  const latest = one.last > other.last ? one : other;
  return {
    ...latest,
    attempts: one.attempts + other.attempts,
    first: Math.min(one.first, other.first),
  };
}
