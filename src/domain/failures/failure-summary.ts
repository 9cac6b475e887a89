/** Failed attempts that were counted by the hour, put together by one of what they have in common. */
import type { CountedFailures, FailureGroup } from './failure-group.js';

export const FAILURE_SIDES = ['reason', 'client', 'domain', 'status'] as const;
/** By what they are put together. */
export type FailureSide = (typeof FAILURE_SIDES)[number];

/** Which are meant; what is left out restricts nothing. */
export interface FailureFilter {
  readonly reason?: string;
  readonly client?: string;
  readonly domain?: string;
}

export interface FailureSummary {
  /** Undefined = the message does not say, or there was no answer that would have a status. */
  readonly name: string | undefined;
  readonly attempts: number;
  /** Milliseconds since the Unix epoch. */
  readonly first: number;
  readonly last: number;
  /** Of the last of them. */
  readonly messageId: string;
  /** The most frequent first. */
  readonly reasons: readonly string[];
  readonly clients: number;
  readonly domains: number;
}

interface FailureSummaries {
  /** That are meant, in all. */
  readonly attempts: number;
  /** The most attempts first. */
  readonly groups: readonly FailureSummary[];
  /** Attempts of which only the number is known: there were too many different ones in their hour. */
  readonly other: number;
}

export function summariesOf(
  counts: readonly CountedFailures[],
  side: FailureSide,
  filter: FailureFilter = {},
): FailureSummaries {
  const groups = new Map<string | undefined, Tally>();
  let [attempts, other] = [0, 0];
  for (const counted of counts) {
    const { group } = counted;
    if (!group) other += counted.attempts;
    else if (isMeant(group, filter)) {
      attempts += counted.attempts;
      const name = group[side]?.toString();
      const tally = groups.get(name) ?? new Tally();
      groups.set(name, tally);
      tally.add(counted, group);
    }
  }
  const summaries = [...groups].map(([name, tally]) => tally.summary(name));
  return { attempts, groups: summaries.sort((one, next) => next.attempts - one.attempts), other };
}

function isMeant(group: FailureGroup, { reason, client, domain }: FailureFilter): boolean {
  return (
    (reason === undefined || reason === group.reason) &&
    (client === undefined || client === group.client) &&
    (domain === undefined || domain === group.domain)
  );
}

class Tally {
  #attempts = 0;
  #first = Infinity;
  #last = -Infinity;
  #messageId = '';
  readonly #reasons = new Map<string, number>();
  readonly #clients = new Set<string | undefined>();
  readonly #domains = new Set<string | undefined>();

  add({ attempts, first, last, messageId }: CountedFailures, { reason, client, domain }: FailureGroup): void {
    this.#attempts += attempts;
    this.#first = Math.min(this.#first, first);
    // one that was erased is no example
    if (messageId !== '' && (last >= this.#last || this.#messageId === '')) this.#messageId = messageId;
    this.#last = Math.max(this.#last, last);
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + attempts);
    this.#clients.add(client);
    this.#domains.add(domain);
  }

  summary(name: string | undefined): FailureSummary {
    const reasons = [...this.#reasons].sort(([, one], [, other]) => other - one).map(([reason]) => reason);
    const [attempts, first, last, messageId] = [this.#attempts, this.#first, this.#last, this.#messageId];
    return {
      name,
      attempts,
      first,
      last,
      messageId,
      reasons,
      clients: this.#clients.size,
      domains: this.#domains.size,
    };
  }
}
