/** What a message costs as the work around it grows. Each point is the median of some runs. */
import type { Closers } from '../../local/closers.js';
import { openSink } from '../sinks/open-sink.js';
import type { Stand } from '../stand.js';
import { backlog, drained, MEASURED, retries, type Point } from './growth-points.js';
import { spreadOf } from './statistics.js';

export interface Curve {
  readonly name: string;
  /** What `x` counts. */
  readonly unit: string;
  readonly points: readonly Point[];
}

interface GrowthOptions {
  readonly concurrency: number;
  readonly repeats: number;
  readonly backlogs: readonly number[];
  readonly retrying: readonly number[];
  readonly workers: readonly number[];
  readonly bytes: readonly number[];
  readonly install: boolean;
  readonly onCurve: (curve: Curve) => void;
}

/** The default, and where an exchange carries least. */
const CONCURRENCY_OF_MANY = 4;
const MOST_BYTES = 128 * 1024 * 1024;

/** Name, unit, the places to measure and how. */
type Plan = readonly [name: string, unit: string, xs: readonly number[], measure: (x: number) => Promise<Point>];

export async function measureGrowth(stand: Stand, options: GrowthOptions, closers: Closers): Promise<Curve[]> {
  const { folder, certificates } = stand;
  const { install, concurrency } = options;
  const half = await openSink({ folder, certificates, failHalf: true, install, announce: () => undefined }, closers);
  const sinkOf = (percent: number) => (percent === 0 ? stand.sink : half);
  const plans: readonly Plan[] = [
    ['backlog', 'messages waiting', options.backlogs, (x) => backlog(stand, x, { concurrency })],
    [
      'retries',
      'messages in retry beside 10,000 that fall due in one second',
      options.retrying,
      (x) => retries(stand, x, { concurrency }),
    ],
    [
      'workers',
      `workers with ${CONCURRENCY_OF_MANY} at once each`,
      options.workers,
      (workers) => drained(stand, { x: workers, messages: MEASURED }, { concurrency: CONCURRENCY_OF_MANY, workers }),
    ],
    [
      'size',
      'bytes per message',
      options.bytes,
      (bytes) => drained(stand, { x: bytes, messages: messagesOf(bytes), bytes }, { concurrency }),
    ],
    [
      'failures',
      '% of the deliveries that fail',
      [0, 50],
      (x) => drained(stand, { x, messages: MEASURED / 2, sink: sinkOf(x) }, { concurrency }),
    ],
  ];
  const curves: Curve[] = [];
  for (const [name, unit, xs, measure] of plans) {
    const points: Point[] = [];
    for (const x of xs) points.push(await medianOf(options.repeats, () => measure(x)));
    const curve = { name, unit, points };
    curves.push(curve);
    options.onCurve(curve);
  }
  return curves;
}

/** As many as fit into Redis's share of memory. */
function messagesOf(bytes: number): number {
  return Math.min(MEASURED, Math.floor(MOST_BYTES / bytes));
}

async function medianOf(repeats: number, measure: () => Promise<Point>): Promise<Point> {
  const points: Point[] = [];
  for (let run = 0; run < repeats; run++) points.push(await measure());
  const median = (pick: (point: Point) => number) => spreadOf(points.map(pick)).median;
  return {
    x: points[0]?.x ?? NaN,
    messagesPerSecond: median((point) => point.messagesPerSecond),
    cpuMicros: median((point) => point.cpuMicros),
    workerBytes: median((point) => point.workerBytes),
    redisBytes: median((point) => point.redisBytes),
  };
}
