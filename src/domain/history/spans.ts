/** Spans of time in which something was not as it should be, as src/queue/lua/history/note.lua keeps them. Pure. */

/** ms since the Unix epoch. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** What there is to know of the book itself, beside its lines. */
export interface BookSpans {
  /** The first look that anybody took; undefined = there was none, or it is not known. */
  readonly begun: number | undefined;
  /** Nobody looked: Redis was away, or whoever writes. The oldest first. */
  readonly gaps: readonly Span[];
  /** The workers of at least one host could deliver nothing. The oldest first. */
  readonly outages: readonly Span[];
}

/** Of `from until from until ...`; what is none of ours is no span. */
export function readSpans(text: string): readonly Span[] {
  const numbers = text.split(' ').map(Number);
  const spans: Span[] = [];
  for (let at = 0; at + 1 < numbers.length; at += 2) {
    const [from = NaN, until = NaN] = numbers.slice(at, at + 2);
    if (from > 0 && until >= from) spans.push({ from, until });
  }
  return spans;
}

/** Those that reach into the time since. */
export function spansSince(spans: readonly Span[], since: number): readonly Span[] {
  return spans.filter(({ until }) => until >= since);
}
