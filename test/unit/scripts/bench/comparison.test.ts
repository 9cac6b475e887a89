import { describe, expect, test } from 'vitest';
import { comparisonsOf } from '../../../../scripts/bench/measure/ratios.js';
import type { Sample } from '../../../../scripts/bench/measure/throughput.js';
import { comparisonTable } from '../../../../scripts/bench/print/table.js';

/** `rates`: of each round, new and old. */
function samples(concurrency: number, rates: readonly (readonly [number, number])[]): Sample[] {
  const rest = { pid: 1, cpuMicros: 1, peakBytes: 1, roundTrips: 0, redisMicros: 0, concurrency };
  return rates.flatMap(([mine, theirs], round) => [
    { ...rest, round, contender: 'old', messagesPerSecond: theirs },
    { ...rest, round, contender: 'new', messagesPerSecond: mine },
    { ...rest, round, contender: 'BullMQ', messagesPerSecond: 1 },
  ]);
}

describe('two checkouts beside each other', () => {
  const all = [
    ...samples(4, [
      [95, 100],
      [50, 100],
      [99, 100],
    ]),
    ...samples(64, [
      [94, 100],
      [50, 100],
      [99, 100],
    ]),
  ];

  test('every pair counts, in its order, and a median of 0.95 is not worse', () => {
    expect(comparisonsOf(all, 'new', 'old')).toEqual([
      { of: 'new', to: 'old', concurrency: 4, pairs: [0.95, 0.5, 0.99], median: 0.95, verdict: 'not worse' },
      { of: 'new', to: 'old', concurrency: 64, pairs: [0.94, 0.5, 0.99], median: 0.94, verdict: 'worse' },
    ]);
  });

  test('all of it is shown', () => {
    const [, at4, at64] = comparisonTable(comparisonsOf(all, 'new', 'old')).split('\n');
    expect(at4?.split(/ {2,}/)).toEqual(['4', '0.95 0.50 0.99', '0.950', 'not worse']);
    expect(at64?.split(/ {2,}/)).toEqual(['64', '0.94 0.50 0.99', '0.940', 'worse']);
  });
});
