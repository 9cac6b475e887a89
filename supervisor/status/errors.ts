import type { FailureCount } from './counts.js';
import type { ErrorStatus } from './status-document.js';

const RECENT_MS = 300_000;

interface Seen {
  readonly failure: FailureCount;
  /** What each look found, within the last five minutes. */
  readonly looks: { readonly at: number; readonly count: number }[];
}

/** What went wrong since the supervisor started, by reason. Reasons are a closed set, so it stays small. */
export class RecentErrors {
  readonly #seen = new Map<string, Seen>();

  /** @param now monotonic ms. */
  look(failures: readonly FailureCount[], now: number): void {
    for (const failure of failures) {
      const before = this.#seen.get(failure.latest.reason);
      const looks = before?.looks ?? [];
      const count = failure.count - (before?.failure.count ?? 0);
      if (count > 0) looks.push({ at: now, count });
      forgetOld(looks, now);
      this.#seen.set(failure.latest.reason, { failure, looks });
    }
  }

  /** The latest first. */
  list(now: number): readonly ErrorStatus[] {
    return [...this.#seen]
      .sort(([, a], [, b]) => b.failure.latest.at - a.failure.latest.at)
      .map(([reason, { failure, looks }]) => {
        const { latest, count } = failure;
        forgetOld(looks, now);
        return {
          reason,
          count,
          recent_count: looks.reduce((sum, look) => sum + look.count, 0),
          last_at: latest.at === 0 ? null : new Date(latest.at).toISOString(),
          last_error: latest.error,
          last_message_id: latest.messageId || null,
          last_worker_id: latest.workerId,
        };
      });
  }
}

function forgetOld(looks: Seen['looks'], now: number): void {
  while (looks[0] && now - looks[0].at > RECENT_MS) looks.shift();
}
