/** One point of a curve of growth: a supervisor of its own, warmed up, and some work for it. */
import { until } from '../contenders/contender.js';
import { message, MESSAGE_BYTES } from '../contenders/messages.js';
import { QUEUE, startOurs, type Ours, type OursOptions } from '../contenders/our-supervisor.js';
import { isSettled, release, stage, STAGED } from '../contenders/ours.js';
import { quiet, type Sink } from '../sinks/sink.js';
import type { Stand } from '../stand.js';
import { usageOf } from './process-usage.js';

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

export const MEASURED = 20_000;
const WARM_UP = 2_000;
const DUE = 10_000;
const RETRY_LEAD_MS = 2_000;
const RETRY_KEY = `{${QUEUE}}:retry`;
const HOUR_MS = 3_600_000;

/** The first `MEASURED` of `waiting` messages; a short queue is emptied as many times as gives as many. */
export async function backlog(stand: Stand, waiting: number, options: OursOptions): Promise<Point> {
  const measured = Math.min(MEASURED, waiting);
  return withOurs(stand, options, async (ours) => {
    let [cpuSeconds, seconds, redisBytes] = [0, 0, 0];
    for (let done = 0; done < MEASURED; done += measured) {
      await stage(stand, waiting);
      redisBytes = Math.max(redisBytes, await redisMemory(stand));
      const run = await timed(ours, async () => {
        await stand.redis.rename(STAGED, QUEUE);
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
export async function retries(stand: Stand, others: number, options: OursOptions): Promise<Point> {
  return withOurs(stand, options, async (ours) => {
    const [time] = await stand.redis.time();
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

export async function drained(
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
