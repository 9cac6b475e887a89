/**
 * A main server as the real one: one delivery at a time, 6 ms each, frozen for 30 s by each request beyond 30 in flight.
 * Three workers that are configured with more than it bears, beside fixed concurrencies, of which an operator who knew all
 * this would choose the best.
 */
import { until } from '../contenders/contender.js';
import { QUEUE, startOurs } from '../contenders/our-supervisor.js';
import { stage, STAGED } from '../contenders/ours.js';
import { quantile } from '../measure/statistics.js';
import { LIKE_ORIGINAL } from '../../main-server/faults.js';
import { OriginalSink } from '../sinks/original-sink.js';
import type { Stand } from '../stand.js';

export interface FrozenRun {
  readonly workers: number;
  readonly concurrency: number;
  readonly control: 'fixed' | 'adaptive';
  readonly messages: number;
  readonly delivered: number;
  /** Until all were, or the time was over. */
  readonly seconds: number;
  readonly mostInFlight: number;
  /** Requests that froze it. */
  readonly frozen: number;
  /** Of a delivery at the main server, ms. */
  readonly p95: number;
}

interface FrozenOptions {
  /** Fixed ones, per worker: the best is what the others are held against. */
  readonly fixed: readonly number[];
  /** With the default control. */
  readonly configured: readonly number[];
  readonly messages: number;
  readonly seconds: number;
  readonly onRun: (run: FrozenRun) => void;
}

const WORKERS = 3;
export const SERIAL_MS = LIKE_ORIGINAL.serialMs;
const MANNERS = { ...LIKE_ORIGINAL, unknownForMs: 0, unknownSpreadMs: 0 };

export async function measureFrozenServer(stand: Stand, options: FrozenOptions): Promise<FrozenRun[]> {
  const plans = [
    ...options.fixed.map((concurrency) => ({ concurrency, control: 'fixed' as const })),
    ...options.configured.map((concurrency) => ({ concurrency, control: 'adaptive' as const })),
  ];
  const runs: FrozenRun[] = [];
  for (const plan of plans) {
    const run = await deliver(stand, plan, options);
    runs.push(run);
    options.onRun(run);
  }
  return runs;
}

async function deliver(
  stand: Stand,
  plan: Pick<FrozenRun, 'concurrency' | 'control'>,
  { messages, seconds }: FrozenOptions,
): Promise<FrozenRun> {
  await stand.redis.flushall();
  const sink = new OriginalSink(stand.certificates, MANNERS);
  try {
    await sink.start();
    const settings = { WORKER_CONCURRENCY_CONTROL: plan.control, WORKER_SHUTDOWN_TIMEOUT: '1' };
    const ours = await startOurs(stand, { ...plan, workers: WORKERS, url: sink.url, settings });
    try {
      await stage(stand, messages);
      const startedAt = performance.now();
      await stand.redis.rename(STAGED, QUEUE);
      const took = () => (performance.now() - startedAt) / 1_000;
      await until(async () => took() > seconds || (await sink.delivered()) >= messages);
      const tookSeconds = took();
      const { messages: seen, most: mostInFlight, frozen } = await sink.take();
      const times = seen.flatMap(({ tookMs }) => (tookMs === undefined ? [] : [tookMs])).sort((a, b) => a - b);
      const counts = { delivered: times.length, mostInFlight, frozen, p95: quantile(times, 0.95) };
      return { ...plan, workers: WORKERS, messages, seconds: tookSeconds, ...counts };
    } finally {
      await ours.stop();
    }
  } finally {
    await sink.stop();
  }
}

/** The shortest of the fixed ones that delivered all; undefined = none did. */
export function bestFixed(runs: readonly FrozenRun[]): FrozenRun | undefined {
  const complete = runs.filter(({ control, delivered, messages }) => control === 'fixed' && delivered >= messages);
  return complete.sort((a, b) => a.seconds - b.seconds)[0];
}
