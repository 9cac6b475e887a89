/** One contender beside another. Both were measured within one round, on the same machine in the same second. */
import { spreadOf, type Spread } from './statistics.js';
import type { Sample } from './throughput.js';

export interface Ratio {
  readonly of: string;
  readonly to: string;
  readonly concurrency: number;
  /** Messages per second, ours to theirs. */
  readonly ratio: Spread;
  /** CPU per message, theirs to ours: it depends less on what else the machine does. */
  readonly cpuRatio: Spread;
}

export function ratiosOf(samples: readonly Sample[], of: string): Ratio[] {
  const others = [...new Set(samples.map(({ contender }) => contender))].filter((name) => name !== of);
  const concurrencies = [...new Set(samples.map(({ concurrency }) => concurrency))];
  return concurrencies.flatMap((concurrency) =>
    others.map((to) => {
      const pairs = pairsOf(samples, { of, to, concurrency });
      return {
        of,
        to,
        concurrency,
        ratio: spreadOf(pairs.map(([mine, theirs]) => mine.messagesPerSecond / theirs.messagesPerSecond)),
        cpuRatio: spreadOf(pairs.map(([mine, theirs]) => theirs.cpuMicros / mine.cpuMicros)),
      };
    }),
  );
}

/** Two checkouts of the product: what "not worse" rests on. */
export interface Comparison {
  readonly of: string;
  readonly to: string;
  readonly concurrency: number;
  /** Messages per second, ours to theirs, of each round in its order. */
  readonly pairs: readonly number[];
  readonly median: number;
  readonly verdict: 'not worse' | 'worse';
}

/** Smallest median that counts as not worse: so much is left to the noise of a machine with neighbours. */
const NOT_WORSE = 0.95;

export function comparisonsOf(samples: readonly Sample[], of: string, to: string): Comparison[] {
  const concurrencies = [...new Set(samples.map(({ concurrency }) => concurrency))];
  return concurrencies.map((concurrency) => {
    const pairs = pairsOf(samples, { of, to, concurrency }).map(
      ([mine, theirs]) => mine.messagesPerSecond / theirs.messagesPerSecond,
    );
    const { median } = spreadOf(pairs);
    return { of, to, concurrency, pairs, median, verdict: median >= NOT_WORSE ? 'not worse' : 'worse' };
  });
}

function pairsOf(
  samples: readonly Sample[],
  { of, to, concurrency }: Pick<Ratio, 'of' | 'to' | 'concurrency'>,
): (readonly [mine: Sample, theirs: Sample])[] {
  const there = samples.filter((sample) => sample.concurrency === concurrency);
  return there.flatMap((mine) => {
    const theirs = there.find((sample) => sample.contender === to && sample.round === mine.round);
    return mine.contender === of && theirs ? [[mine, theirs] as const] : [];
  });
}
