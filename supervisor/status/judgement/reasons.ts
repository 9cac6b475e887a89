import type { Cause, StatusFacts } from '../status-document.js';

/** What workers say of one cause, one text each. */
export function reasonsOf(workers: StatusFacts['workers'], cause: Cause): string[] {
  return workers.flatMap(({ reasons, causes }) => reasons.filter((_, at) => causes[at] === cause).slice(0, 1));
}

/** Undefined = there is none. */
export function mostFrequent<Text extends string | null>(texts: readonly Text[]): Text | undefined {
  const counts = new Map<Text, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([, one], [, next]) => next - one)[0]?.[0];
}
