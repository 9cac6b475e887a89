/** The goals, beside what was found. A goal that was missed is called so. */
import { spreadOf } from '../measure/statistics.js';
import { bestFixed, SERIAL_MS } from '../scenes/frozen-server.js';
import type { Results } from './results.js';
import { table } from './table.js';

export interface Goal {
  readonly what: string;
  readonly found: number;
  readonly bound: 'at least' | 'at most';
  readonly goal: number;
}

/** By contender; another checkout has a verdict of its own. */
const OF_CONTENDER: Readonly<Record<string, Goals>> = {
  BullMQ: { 4: 1.8, 16: 2.4, 64: 2.5 },
  'bare undici loop': { 4: 0.5, 16: 0.8, 64: 0.85 },
};
const COLD_OF_BULLMQ = 1.5;
const REDIS_MICROS: Goals = { 4: 9, 16: 5.5 };
/** By the major version of Node: newer ones have larger heaps. */
const MEGABYTES = { 20: 110, newer: 125 };
const MEGABYTES_OF_FAILURES = 20;
const FAILED_OF_DELIVERED = 3;
const FOUR_WORKERS_OF_ONE = 1.25;
const IDLE_MS = { p50: 0.5, p99: 1.5 };
const OF_FLOOR = { p50: 1.4, p99: 1.3 };
const WASTED_POSTS = 0.35;
const OF_BEST_FIXED = 1.1;
const BEARS = 30;
const OF_LONE = 5;
/** In seconds, at 1,000,000 waiting and dead; of 100,000 each. */
const OPERATOR_SECONDS = { show: 5, pageOfWaiting: 0.1, pageOfDead: 0.1, retry: 10, cancel: 60 };
const LONGEST_MS = 20;
const RATE_KEPT = 0.9;

type Goals = Readonly<Record<number, number>>;

/** Of the parts that were measured. */
export function goalsOf(results: Results): Goal[] {
  return [
    ...throughputGoals(results),
    ...coldGoals(results),
    ...failureGoals(results),
    ...growthGoals(results),
    ...latencyGoals(results),
    ...realOrderGoals(results),
    ...frozenGoals(results),
    ...operatorGoals(results),
  ];
}

export function isMet({ found, bound, goal }: Goal): boolean {
  return bound === 'at least' ? found >= goal : found <= goal;
}

export function goalTable(goals: readonly Goal[]): string {
  const shown = (value: number) => String(Number(value.toPrecision(3)));
  const rows = goals.map((one) => [
    one.what,
    shown(one.found),
    `${one.bound} ${shown(one.goal)}`,
    isMet(one) ? 'met' : 'missed',
  ]);
  return table(['goal', 'found', 'wanted', ''], rows);
}

function throughputGoals({ throughput }: Results): Goal[] {
  if (!throughput) return [];
  const { ratios, summaries, machine } = throughput;
  const mine = summaries.filter(({ contender }) => contender === ratios[0]?.of);
  return [
    ...ratios.flatMap(({ to, concurrency, ratio }) =>
      atLeast(`× ${to} at ${concurrency}`, ratio.median, OF_CONTENDER[to]?.[concurrency]),
    ),
    ...mine.flatMap(({ concurrency, redisMicros }) =>
      atMost(`CPU of Redis per message at ${concurrency}, µs`, redisMicros, REDIS_MICROS[concurrency]),
    ),
    ...atMost(
      'memory of a worker, MB',
      Math.max(...mine.map(({ peakBytes }) => peakBytes)) / 1e6,
      megabytes(machine.node),
    ),
  ];
}

function coldGoals({ cold }: Results): Goal[] {
  return (cold?.ratios ?? []).flatMap(({ to, concurrency, ratio }) =>
    atLeast(`× ${to} at ${concurrency}, a new process`, ratio.median, COLD_OF_BULLMQ),
  );
}

function failureGoals({ failures }: Results): Goal[] {
  const mine = failures?.costs.filter(({ contender }) => contender === failures.costs[0]?.contender) ?? [];
  if (!failures || mine.length === 0) return [];
  const ratio = spreadOf(mine.map(({ failedMicros, deliveredMicros }) => failedMicros / deliveredMicros)).median;
  const bytes = Math.max(...mine.map(({ peakBytes }) => peakBytes));
  return [
    ...atMost('CPU of a failed attempt, × a delivered one', ratio, FAILED_OF_DELIVERED),
    ...atMost(
      'memory of a worker with failures, MB',
      bytes / 1e6,
      megabytes(failures.machine.node) + MEGABYTES_OF_FAILURES,
    ),
  ];
}

function growthGoals({ growth }: Results): Goal[] {
  const points = growth?.curves.find(({ name }) => name === 'workers')?.points ?? [];
  const cpu = (workers: number) => points.find(({ x }) => x === workers)?.cpuMicros;
  const [one, four] = [cpu(1), cpu(4)];
  if (one === undefined || four === undefined) return [];
  return atMost('CPU per message, 4 workers × one, at 4', four / one, FOUR_WORKERS_OF_ONE);
}

function latencyGoals({ latency }: Results): Goal[] {
  const idle = latency?.loads.find(({ load }) => load === 'idle');
  if (!idle) return [];
  return [...atMost('idle LPUSH to POST, p50 ms', idle.p50, IDLE_MS.p50), ...atMost('p99 ms', idle.p99, IDLE_MS.p99)];
}

function realOrderGoals({ realOrder }: Results): Goal[] {
  if (!realOrder) return [];
  const { p50, p99, floorP50, floorP99, wastedPosts } = realOrder.found;
  return [
    ...atMost('real order, p50 × the floor', p50 / floorP50, OF_FLOOR.p50),
    ...atMost('real order, p99 × the floor', p99 / floorP99, OF_FLOOR.p99),
    ...atMost('real order, wasted POSTs per message', wastedPosts, WASTED_POSTS),
  ];
}

function frozenGoals({ frozenServer }: Results): Goal[] {
  const runs = frozenServer?.runs ?? [];
  const best = bestFixed(runs)?.seconds ?? NaN;
  return runs
    .filter(({ control }) => control === 'adaptive')
    .flatMap(({ workers, concurrency, delivered, messages, seconds, mostInFlight, p95 }) => {
      const name = `freezing server, ${workers} × ${concurrency}`;
      return [
        ...atLeast(`${name}: delivered`, delivered, messages),
        ...atMost(`${name}: time × the best fixed`, seconds / best, OF_BEST_FIXED),
        ...atMost(`${name}: in flight`, mostInFlight, BEARS),
        ...atMost(`${name}: p95 × a lone delivery`, p95 / SERIAL_MS, OF_LONE),
      ];
    });
}

function operatorGoals({ operator }: Results): Goal[] {
  if (!operator) return [];
  const { seconds, longestMs, rateKept } = operator.found;
  return [
    ...atMost('show an id among all, s', seconds.show, OPERATOR_SECONDS.show),
    ...atMost('first page of the waiting, s', seconds.pageOfWaiting, OPERATOR_SECONDS.pageOfWaiting),
    ...atMost('first page of the dead, s', seconds.pageOfDead, OPERATOR_SECONDS.pageOfDead),
    ...atMost('retry all, s', seconds.retry, OPERATOR_SECONDS.retry),
    ...atMost('cancel among the waiting, s', seconds.cancel, OPERATOR_SECONDS.cancel),
    ...atMost('longest command of Redis meanwhile, ms', longestMs, LONGEST_MS),
    ...atLeast('deliveries meanwhile, of before', rateKept, RATE_KEPT),
  ];
}

function megabytes(node: string): number {
  return node.startsWith('20.') ? MEGABYTES[20] : MEGABYTES.newer;
}

function atLeast(what: string, found: number, goal: number | undefined): Goal[] {
  return goal === undefined ? [] : [{ what, found, bound: 'at least', goal }];
}

function atMost(what: string, found: number, goal: number | undefined): Goal[] {
  return goal === undefined ? [] : [{ what, found, bound: 'at most', goal }];
}
