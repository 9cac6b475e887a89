/**
 * From LPUSH to the POST at the sink. Producer and sink are processes of their own and read one clock; what they cost the
 * machine counts into the latency, as does everything else on it.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { message, MESSAGE_BYTES } from '../contenders/messages.js';
import { QUEUE, startOurs } from '../contenders/our-supervisor.js';
import { release, stage } from '../contenders/ours.js';
import { sharedClockMs } from '../sinks/shared-clock.js';
import { TimedSink } from '../sinks/timed-sink.js';
import type { Stand } from '../stand.js';
import { quantile } from './statistics.js';

export interface Latency {
  readonly load: string;
  readonly messages: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** The longest that the event loop of producer or sink stood still: of `max`, this much may be theirs. */
  readonly ownPause?: number;
}

interface LatencyOptions {
  readonly concurrency: number;
  readonly idleMessages: number;
  readonly seconds: number;
}

const WARM_UP = 20_000;
/** One after the other, this far apart. */
const IDLE_GAP_MS = 20;
const LOW_RATE = 100;
const SHARE_OF_MAXIMUM = 0.7;
const TICK_MS = 1;

export async function measureLatency(stand: Stand, options: LatencyOptions): Promise<Latency[]> {
  await stand.redis.flushall();
  const sink = new TimedSink(stand.certificates);
  try {
    await sink.start();
    return await measureBeside(stand, sink, options);
  } finally {
    await sink.stop();
  }
}

async function measureBeside(
  stand: Stand,
  sink: TimedSink,
  { concurrency, idleMessages, seconds }: LatencyOptions,
): Promise<Latency[]> {
  const worker = await startOurs(stand, { concurrency, url: sink.url });
  try {
    const run = new Run(stand, sink);
    const maximum = await run.maximumRate();
    const rate = Math.round(maximum * SHARE_OF_MAXIMUM);
    return [
      await run.idle(idleMessages),
      await run.atRate(`${LOW_RATE} messages/s`, LOW_RATE, seconds),
      await run.atRate(`70 % of the maximum (${rate} messages/s)`, rate, seconds),
    ];
  } finally {
    await worker.stop();
  }
}

class Run {
  readonly #stand: Stand;
  readonly #sink: TimedSink;
  readonly #sentAt = new Map<string, number>();
  readonly #pauses = monitorEventLoopDelay({ resolution: 1 });

  constructor(stand: Stand, sink: TimedSink) {
    this.#stand = stand;
    this.#sink = sink;
    this.#pauses.enable();
  }

  /** What the worker delivers to this sink when messages are plenty. */
  async maximumRate(): Promise<number> {
    await stage(this.#stand, WARM_UP);
    await release(this.#stand);
    await stage(this.#stand, WARM_UP);
    const startedAt = sharedClockMs();
    await release(this.#stand);
    const seconds = (sharedClockMs() - startedAt) / 1_000;
    await this.#sink.take();
    return WARM_UP / seconds;
  }

  async idle(count: number): Promise<Latency> {
    this.#pauses.reset();
    for (let sent = 1; sent <= count; sent++) {
      await this.#push(1);
      await this.#sink.arrivals(sent);
      await sleep(IDLE_GAP_MS);
    }
    return this.#summary('idle');
  }

  /** Open loop: messages go out by the clock, however slowly they are taken. */
  async atRate(load: string, rate: number, seconds: number): Promise<Latency> {
    this.#pauses.reset();
    const startedAt = sharedClockMs();
    let sent = 0;
    for (let elapsed = 0; elapsed < seconds * 1_000; elapsed = sharedClockMs() - startedAt) {
      const due = Math.floor((elapsed / 1_000) * rate) - sent;
      if (due > 0) await this.#push(due);
      sent += Math.max(0, due);
      await sleep(TICK_MS);
    }
    await this.#sink.arrivals(sent);
    return this.#summary(load);
  }

  async #push(count: number): Promise<void> {
    const messages = Array.from({ length: count }, () => message(MESSAGE_BYTES));
    const texts = messages.map((one) => JSON.stringify(one));
    const now = sharedClockMs();
    for (const { message_id } of messages) this.#sentAt.set(message_id, now);
    await this.#stand.redis.lpush(QUEUE, ...texts);
  }

  async #summary(load: string): Promise<Latency> {
    const { ids, atMs, longestPauseMs } = await this.#sink.take();
    const milliseconds = ids.map((id, index) => (atMs[index] ?? NaN) - (this.#sentAt.get(id) ?? NaN));
    const sorted = milliseconds.sort((a, b) => a - b);
    this.#sentAt.clear();
    return {
      load,
      messages: sorted.length,
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      max: sorted.at(-1) ?? NaN,
      ownPause: Math.max(longestPauseMs, this.#pauses.max / 1e6),
    };
  }
}
