import type { Quantiles } from './status-document.js';

/**
 * Quantiles of a histogram, interpolated within a bucket as Prometheus does it; null when nothing was observed. What lies
 * above the last bound counts as the last bound. Within a bucket nobody knows where the observations lie, so a quantile may not
 * pass the highest of them.
 *
 * @param bounds upper bounds, ascending.
 * @param counts one per bound and one for what is above; not cumulative.
 * @param highest that was observed; Infinity = not known.
 */
export function quantilesOf(
  bounds: readonly number[],
  counts: readonly number[],
  highest = Infinity,
): Quantiles | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const at = (share: number): number => rounded(Math.min(highest, quantile(bounds, counts, share * total)));
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function quantile(bounds: readonly number[], counts: readonly number[], rank: number): number {
  let below = 0;
  for (const [bucket, bound] of bounds.entries()) {
    const count = counts[bucket] ?? 0;
    const from = bounds[bucket - 1] ?? 0;
    if (count > 0 && below + count >= rank) return from + ((bound - from) * (rank - below)) / count;
    below += count;
  }
  return bounds.at(-1) ?? 0;
}

/** To a tenth of a millisecond. */
function rounded(seconds: number): number {
  return Math.round(seconds * 10_000) / 10_000;
}
