/** What a failed attempt costs in CPU time, beside a delivered one: two processes, one whose deliveries fail by half. */
import type { Contender, Running } from '../contenders/contender.js';
import { QUEUE } from '../contenders/our-supervisor.js';
import { usageOf } from '../measure/process-usage.js';
import { redisCpuSeconds } from '../measure/redis-cpu.js';
import { quiet, type Sink } from '../sinks/sink.js';
import type { Stand } from '../stand.js';

export interface FailureCost {
  readonly contender: string;
  readonly run: number;
  /** CPU time of the process, µs, with what it tells the main server afterwards. */
  readonly deliveredMicros: number;
  readonly failedMicros: number;
  readonly redisDeliveredMicros: number;
  readonly redisFailedMicros: number;
  /** Attempts per second, half of them failing. */
  readonly attemptsPerSecond: number;
  /** Highest resident set, half failing. */
  readonly peakBytes: number;
}

interface FailuresOptions {
  readonly contenders: readonly Contender[];
  readonly concurrency: number;
  readonly runs: number;
  readonly messages: number;
  /** Answers half of the deliveries with 500. */
  readonly half: Sink;
  readonly onCost: (cost: FailureCost) => void;
}

const WARM_UP_SHARE = 0.5;
/** Where failed messages wait: they must not come back while the next are measured. */
const WAITING = [`{${QUEUE}}:retry`, 'bull:bench:delayed'];

export async function measureFailures(stand: Stand, options: FailuresOptions): Promise<FailureCost[]> {
  const costs: FailureCost[] = [];
  for (let run = 0; run < options.runs; run++) {
    for (const contender of options.contenders) {
      const none = await attempts(stand, contender, stand.sink, options);
      const half = await attempts(stand, contender, options.half, options);
      const cost = {
        contender: contender.name,
        run,
        deliveredMicros: none.cpuMicros,
        // of two attempts one is delivered, and costs what it costs elsewhere
        failedMicros: 2 * half.cpuMicros - none.cpuMicros,
        redisDeliveredMicros: none.redisMicros,
        redisFailedMicros: 2 * half.redisMicros - none.redisMicros,
        attemptsPerSecond: half.perSecond,
        peakBytes: half.peakBytes,
      };
      costs.push(cost);
      options.onCost(cost);
    }
  }
  return costs;
}

async function attempts(stand: Stand, contender: Contender, sink: Sink, { concurrency, messages }: FailuresOptions) {
  await stand.redis.flushall();
  const running = await contender.start(stand, { concurrency, url: sink.url, retries: true });
  try {
    await drained(stand, running, sink, Math.ceil(messages * WARM_UP_SHARE));
    return await drained(stand, running, sink, messages);
  } finally {
    await running.stop();
  }
}

async function drained(stand: Stand, running: Running, sink: Sink, messages: number) {
  await running.prepare(messages);
  const [before, redisBefore] = [await usageOf(running.pid), await redisCpuSeconds(stand.redis)];
  const startedAt = performance.now();
  await running.drain();
  const seconds = (performance.now() - startedAt) / 1_000;
  await quiet(sink);
  const [after, redisAfter] = [await usageOf(running.pid), await redisCpuSeconds(stand.redis)];
  await stand.redis.del(WAITING);
  return {
    cpuMicros: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / messages,
    redisMicros: ((redisAfter - redisBefore) * 1e6) / messages,
    perSecond: messages / seconds,
    peakBytes: after.peakBytes,
  };
}
