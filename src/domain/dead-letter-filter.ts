import type { StoredDeadLetter } from './dead-letter.js';

/** Which dead letters are meant; what is left out restricts nothing. */
export interface DeadLetterFilter {
  readonly reason?: string;
  /** Dead for at least this long. A letter whose time cannot be read is never old enough. */
  readonly olderThanMs?: number;
  /** Dead for at most this long. */
  readonly newerThanMs?: number;
  /** Message ids or keys of letters. */
  readonly ids?: readonly string[];
}

/** What a filter looks at beside the envelope's own fields. */
interface Named {
  readonly key: string;
  readonly messageId: string | undefined;
}

export function isUnfiltered(filter: DeadLetterFilter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}

/** @param letter undefined = it cannot be read: only a filter that names it, or none at all, means it. */
export function isMeant(
  { key, messageId }: Named,
  letter: StoredDeadLetter | undefined,
  filter: DeadLetterFilter,
  wallNowMs: number,
): boolean {
  const { reason, olderThanMs, newerThanMs, ids } = filter;
  if (ids !== undefined && !ids.includes(key) && (messageId === undefined || !ids.includes(messageId))) return false;
  if (reason !== undefined && letter?.reason !== reason) return false;
  const ageMs = wallNowMs - Date.parse(letter?.deadAt ?? '');
  // Comparisons with NaN are false.
  if (olderThanMs !== undefined && !(ageMs >= olderThanMs)) return false;
  return newerThanMs === undefined || ageMs <= newerThanMs;
}
