/** What a message costs as the work around it grows. Each point is the median of some runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Closers } from '../../local/closers.js';
import { until } from '../contenders/contender.js';
import { message, MESSAGE_BYTES } from '../contenders/messages.js';
import { isSettled, QUEUE, release, stage, startOurs, type Ours, type OursOptions } from '../contenders/ours.js';
import { usageOf } from './process-usage.js';
import { startSink, type Sink } from '../sinks/sink.js';
import type { Stand } from './stand.js';
import { spreadOf } from './statistics.js';

export interface Point {
  readonly x: number;
  readonly messagesPerSecond: number;
  /** Of all workers together, per message, in µs. */
  readonly cpuMicros: number;
  /** Of the largest worker, after the run. */
  readonly workerBytes: number;
  /** used_memory with everything in place. */
  readonly redisBytes: number;
}

export interface Curve {
  readonly name: string;
  /** What `x` counts. */
  readonly unit: string;
  readonly points: readonly Point[];
}

export interface GrowthPlan {
  readonly concurrency: number;
  readonly repeats: number;
  readonly backlogs: readonly number[];
  readonly retrying: readonly number[];
  readonly workers: readonly number[];
  readonly bytes: readonly number[];
  readonly install: boolean;
  readonly onCurve: (curve: Curve) => void;
}

const MEASURED = 20_000;
const WARM_UP = 2_000;
const DUE = 10_000;
const MOST_BYTES = 128 * 1024 * 1024;
const RETRY_LEAD_MS = 2_000;
const RETRY_KEY = `{${QUEUE}}:retry`;
const HOUR_MS = 3_600_000;
const QUIET_MS = 300;

export async function measureGrowth(stand: Stand, plan: GrowthPlan, closers: Closers): Promise<Curve[]> {
  const curves: Curve[] = [];
  const curve = async (name: string, unit: string, xs: readonly number[], measure: (x: number) => Promise<Point>) => {
    const points: Point[] = [];
    for (const x of xs) points.push(await medianOf(plan.repeats, () => measure(x)));
    const done = { name, unit, points };
    curves.push(done);
    plan.onCurve(done);
  };
  const { concurrency } = plan;
  await curve('backlog', 'messages waiting', plan.backlogs, (x) => backlog(stand, x, { concurrency }));
  await curve('retries', 'messages in retry beside 10,000 that fall due in one second', plan.retrying, (x) =>
    retries(stand, x, { concurrency }),
  );
  await curve('workers', 'workers', plan.workers, (workers) =>
    drained(stand, { x: workers, messages: MEASURED }, { concurrency, workers }),
  );
  await curve('size', 'bytes per message', plan.bytes, (bytes) =>
    drained(stand, { x: bytes, messages: Math.min(MEASURED, Math.floor(MOST_BYTES / bytes)), bytes }, { concurrency }),
  );
  const { folder, certificates } = stand;
  const half = await startSink({
    folder,
    certificates,
    failHalf: true,
    install: plan.install,
    announce: () => undefined,
  });
  closers.add(() => half.close());
  await curve('failures', '% of the deliveries that fail', [0, 50], (x) =>
    drained(stand, { x, messages: MEASURED / 2, sink: x === 0 ? stand.sink : half }, { concurrency }),
  );
  return curves;
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

/** The first `MEASURED` of `waiting` messages; a short queue is emptied as many times as gives as many. */
async function backlog(stand: Stand, waiting: number, options: OursOptions): Promise<Point> {
  const measured = Math.min(MEASURED, waiting);
  return withOurs(stand, options, async (ours) => {
    let [cpuSeconds, seconds, redisBytes] = [0, 0, 0];
    for (let done = 0; done < MEASURED; done += measured) {
      await stage(stand, waiting);
      redisBytes = Math.max(redisBytes, await redisMemory(stand));
      const run = await timed(ours, async () => {
        await stand.redis.rename('bench:staged', QUEUE);
        await until(async () => (await stand.redis.llen(QUEUE)) <= waiting - measured);
      });
      cpuSeconds += run.cpuSeconds;
      seconds += run.seconds;
      await stand.redis.del(QUEUE);
      await until(() => isSettled(stand));
    }
    return point(ours, { x: waiting, messages: MEASURED, cpuSeconds, seconds, redisBytes });
  });
}

/** From the moment that the first falls due until all `DUE` are delivered. */
async function retries(stand: Stand, others: number, options: OursOptions): Promise<Point> {
  return withOurs(stand, options, async (ours) => {
    const [time] = (await stand.redis.time()) as unknown as [number | string];
    const dueAt = Number(time) * 1_000 + RETRY_LEAD_MS;
    await addRetries(stand, others, () => dueAt + HOUR_MS);
    await addRetries(stand, DUE, (index) => dueAt + Math.floor((index / DUE) * 1_000));
    const redisBytes = await redisMemory(stand);
    await until(async () => (await stand.redis.zcard(RETRY_KEY)) < others + DUE);
    const run = await timed(ours, () =>
      until(async () => (await stand.redis.zcard(RETRY_KEY)) <= others && (await isSettled(stand))),
    );
    return point(ours, { x: others, messages: DUE, ...run, redisBytes });
  });
}

/** A member is `<unique> <message id>:<message>`, see promote.lua. */
async function addRetries({ redis }: Stand, count: number, dueAt: (index: number) => number): Promise<void> {
  const chunk = 1_000;
  for (let from = 0; from < count; from += chunk) {
    const members = Array.from({ length: Math.min(chunk, count - from) }, (_, index) => {
      const retried = { ...message(MESSAGE_BYTES), attempt_count: 1 };
      const member = `bench${from + index} ${retried.message_id}:${JSON.stringify(retried)}`;
      return [dueAt(from + index), member] as const;
    });
    await redis.zadd(RETRY_KEY, ...members.flat().map(String));
  }
}

interface Load {
  readonly x: number;
  readonly messages: number;
  readonly bytes?: number;
  /** Default: the stand's. */
  readonly sink?: Sink;
}

async function drained(
  stand: Stand,
  { x, messages, bytes, sink = stand.sink }: Load,
  options: OursOptions,
): Promise<Point> {
  return withOurs(stand, { ...options, url: sink.url }, async (ours) => {
    await stage(stand, messages, bytes);
    const redisBytes = await redisMemory(stand);
    // status updates of failed deliveries go on when everything is settled, and their CPU time counts
    const run = await timed(
      ours,
      () => release(stand),
      () => quiet(sink),
    );
    return point(ours, { x, messages, ...run, redisBytes });
  });
}

/** Resolves when no request came for a while. */
async function quiet(sink: Sink): Promise<void> {
  let [before, now] = [-1, await sink.requests()];
  while (now !== before) {
    await sleep(QUIET_MS);
    [before, now] = [now, await sink.requests()];
  }
}

async function withOurs(stand: Stand, options: OursOptions, measure: (ours: Ours) => Promise<Point>): Promise<Point> {
  await stand.redis.flushall();
  const ours = await startOurs(stand, options);
  try {
    await stage(stand, WARM_UP * (options.workers ?? 1));
    await release(stand);
    await stand.redis.del(RETRY_KEY); // of a warm-up that fails by half
    return await measure(ours);
  } finally {
    await ours.stop();
  }
}

interface Timed {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** @param after not part of the time, but of the CPU time */
async function timed({ pids }: Ours, run: () => Promise<void>, after = async () => {}): Promise<Timed> {
  const cpu = async () => {
    const usages = await Promise.all(pids.map(usageOf));
    return usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  };
  const before = await cpu();
  const startedAt = performance.now();
  await run();
  const seconds = (performance.now() - startedAt) / 1_000;
  await after();
  return { seconds, cpuSeconds: (await cpu()) - before };
}

async function point(
  { pids }: Ours,
  run: Timed & { readonly x: number; readonly messages: number; readonly redisBytes: number },
): Promise<Point> {
  const usages = await Promise.all(pids.map(usageOf));
  return {
    x: run.x,
    messagesPerSecond: run.messages / run.seconds,
    cpuMicros: (run.cpuSeconds * 1e6) / run.messages,
    workerBytes: Math.max(...usages.map(({ residentBytes }) => residentBytes)),
    redisBytes: run.redisBytes,
  };
}

async function redisMemory({ redis }: Stand): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}
