import { describe, expect, test } from 'vitest';
import { goalsOf, goalTable, isMet, type Goal } from '../../../../scripts/bench/print/goals.js';
import type { Machine, Results } from '../../../../scripts/bench/print/results.js';
import { bestFixed, type FrozenRun } from '../../../../scripts/bench/scenes/frozen-server.js';
import { realOrderOf } from '../../../../scripts/bench/scenes/real-order.js';

const machine = { node: '20.20.2' } as Machine;
const run = (changes: Partial<FrozenRun>): FrozenRun => ({
  workers: 3,
  concurrency: 4,
  control: 'fixed',
  messages: 100,
  delivered: 100,
  seconds: 10,
  mostInFlight: 12,
  frozen: 0,
  p95: 25,
  ...changes,
});
const found = (results: Results) => new Map(goalsOf(results).map((goal) => [goal.what, goal]));
const verdict = (goal: Goal | undefined) => (goal === undefined ? 'not there' : isMet(goal) ? 'met' : 'missed');

describe('the goals of the benchmark', () => {
  test('of parts that were not measured there are none', () => expect(goalsOf({})).toEqual([]));

  test('each is said to be met or missed', () => {
    const goals: Goal[] = [
      { what: 'speed', found: 1.8, bound: 'at least', goal: 1.8 },
      { what: 'memory', found: 110.4, bound: 'at most', goal: 110 },
      { what: 'unknown', found: NaN, bound: 'at most', goal: 1 },
    ];
    const [, ...rows] = goalTable(goals).split('\n');
    expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
      ['speed', '1.8', 'at least 1.8', 'met'],
      ['memory', '110', 'at most 110', 'missed'],
      ['unknown', 'NaN', 'at most 1', 'missed'],
    ]);
  });

  test('speed has a goal beside other products, and none beside another checkout of this one', () => {
    const of = 'this worker';
    const spread = { median: 0.9, min: 0.9, max: 0.9 };
    const ratios = ['BullMQ', 'the other checkout', 'bare undici loop'].map((to) => {
      return { of, to, concurrency: 16, ratio: spread, cpuRatio: spread };
    });
    const goals = goalsOf({ throughput: { machine, messages: 1, summaries: [], samples: [], ratios } });
    expect(goals.filter(({ what }) => what.startsWith('×')).map((goal) => [goal.what, goal.goal])).toEqual([
      ['× BullMQ at 16', 2.4],
      ['× bare undici loop at 16', 0.8],
    ]);
  });

  test('a freezing server: held against the best fixed concurrency that delivered all', () => {
    const lost = run({ concurrency: 64, delivered: 3, seconds: 1 });
    const runs = [run({ seconds: 11 }), lost, run({ concurrency: 2 })];
    expect(bestFixed(runs)?.concurrency).toBe(2);
    const ours = run({ concurrency: 16, control: 'adaptive', seconds: 11.5, mostInFlight: 31, p95: 30 });
    const goals = found({ frozenServer: { machine, runs: [...runs, ours] } });
    expect([...goals].map(([what, goal]) => [what.split(': ')[1], verdict(goal)])).toEqual([
      ['delivered', 'met'],
      ['time × the best fixed', 'missed'],
      ['in flight', 'missed'],
      ['p95 × a lone delivery', 'met'],
    ]);
  });

  test('failures: the median of the runs, of the product alone', () => {
    const cost = (contender: string, failedMicros: number) => ({
      contender,
      run: 0,
      deliveredMicros: 50,
      failedMicros,
      redisDeliveredMicros: 5,
      redisFailedMicros: 10,
      attemptsPerSecond: 1,
      peakBytes: 120e6,
    });
    const costs = [cost('ours', 100), cost('BullMQ', 9_000), cost('ours', 140), cost('ours', 900)];
    const goals = found({ failures: { machine, concurrency: 16, costs } });
    expect(goals.get('CPU of a failed attempt, × a delivered one')).toMatchObject({ found: 2.8, goal: 3 });
    expect(goals.get('memory of a worker with failures, MB')).toMatchObject({ found: 120, goal: 130 });
  });
});

test('real order: end to end beside registration and one delivery, and POSTs in vain', () => {
  const sentAt = new Map([
    ['a', 1_000],
    ['b', 2_000],
  ]);
  const messages = [
    { id: 'a', posts: 3, knownAtMs: 1_050, deliveredAtMs: 1_080, tookMs: 8 },
    { id: 'b', posts: 1, knownAtMs: 2_070, deliveredAtMs: 2_090, tookMs: 8 },
  ];
  expect(realOrderOf({ messages }, sentAt)).toMatchObject({
    messages: 2,
    p50: 85,
    floorP50: 68,
    wastedPosts: 1,
  });
});
