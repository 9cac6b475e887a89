/** What the samples of one contender at one concurrency come to. */
import { spreadOf, type Spread } from './statistics.js';
import type { Sample } from './throughput.js';

export interface Summary {
  readonly contender: string;
  readonly concurrency: number;
  readonly messagesPerSecond: Spread;
  readonly cpuMicros: Spread;
  readonly peakBytes: number;
  readonly roundTrips: number;
  readonly redisMicros: number;
}

export function summarise(samples: readonly Sample[]): Summary[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = `${sample.concurrency} ${sample.contender}`;
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const of = (pick: (sample: Sample) => number) => spreadOf(group.map(pick));
    return {
      contender: first.contender,
      concurrency: first.concurrency,
      messagesPerSecond: of((sample) => sample.messagesPerSecond),
      cpuMicros: of((sample) => sample.cpuMicros),
      peakBytes: of((sample) => sample.peakBytes).max,
      roundTrips: of((sample) => sample.roundTrips).median,
      redisMicros: of((sample) => sample.redisMicros).median,
    };
  });
}
