/** Which workers are meant, in a few words. Pure. */

/** More names say less than their number. */
const MOST_NAMED = 3;

interface Subject {
  /** `8 of 8 workers`, `2 of 8 workers (worker-1, worker-2)` or `worker-1`. */
  readonly who: string;
  readonly isPlural: boolean;
}

/** @param total how many there are on this host. */
export function subjectOf(ids: readonly string[], total: number): Subject {
  const [only = ''] = ids;
  if (ids.length === 1) return { who: only, isPlural: false };
  const share = `${ids.length} of ${total} workers`;
  if (ids.length === total) return { who: share, isPlural: true };
  const more = ids.length > MOST_NAMED ? `, and ${ids.length - MOST_NAMED} more` : '';
  return { who: `${share} (${ids.slice(0, MOST_NAMED).join(', ')}${more})`, isPlural: true };
}
