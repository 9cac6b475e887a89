import type { FailureTally } from '../../src/shared/metrics/traffic.js';
import type { ErrorStatus } from './status-document.js';

const RECENT_MS = 300_000;

interface Entry {
  count: number;
  latest: FailureTally;
  workerId: string;
  /** What each look found, within the last five minutes. */
  readonly looks: { readonly at: number; readonly count: number }[];
}

/** What went wrong since the supervisor started, by reason. Reasons are a closed set, so it stays small. */
export class ErrorLedger {
  readonly #entries = new Map<string, Entry>();

  /** @param now monotonic ms. */
  add(
    workerId: string,
    failures: readonly FailureTally[],
    before: readonly FailureTally[] | undefined,
    now: number,
  ): void {
    for (const latest of failures) {
      const count = latest.count - (before?.find(({ reason }) => reason === latest.reason)?.count ?? 0);
      if (count <= 0) continue;
      const entry = this.#entries.get(latest.reason) ?? { count: 0, latest, workerId, looks: [] };
      entry.count += count;
      entry.looks.push({ at: now, count });
      if (latest.at >= entry.latest.at) Object.assign(entry, { latest, workerId });
      forgetOld(entry, now);
      this.#entries.set(latest.reason, entry);
    }
  }

  /** The latest first. */
  list(now: number): readonly ErrorStatus[] {
    return [...this.#entries]
      .sort(([, a], [, b]) => b.latest.at - a.latest.at)
      .map(([reason, entry]) => {
        forgetOld(entry, now);
        return {
          reason,
          count: entry.count,
          recent_count: entry.looks.reduce((sum, { count }) => sum + count, 0),
          last_at: entry.latest.at === 0 ? null : new Date(entry.latest.at).toISOString(),
          last_error: entry.latest.error,
          last_message_id: entry.latest.messageId || null,
          last_worker_id: entry.workerId,
        };
      });
  }
}

function forgetOld({ looks }: Entry, now: number): void {
  while (looks[0] && now - looks[0].at > RECENT_MS) looks.shift();
}
