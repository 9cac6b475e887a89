export interface Latencies {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** @param ms at least one */
export function latenciesOf(ms: readonly number[]): Latencies {
  const sorted = [...ms].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return {
    count: sorted.length,
    meanMs: sorted.reduce((sum, one) => sum + one, 0) / sorted.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}
