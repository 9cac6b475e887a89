/** Messages per second of several contenders, in turns. */
import type { Contender, Running } from '../contenders/contender.js';
import type { Stand } from '../stand.js';
import { usageOf } from './process-usage.js';
import { redisCpuSeconds } from './redis-cpu.js';
import { roundTrips } from './round-trips.js';

/** One contender in one round. */
export interface Sample {
  readonly contender: string;
  readonly concurrency: number;
  readonly round: number;
  readonly pid: number;
  readonly messagesPerSecond: number;
  /** Of the process under test, per message, in µs. */
  readonly cpuMicros: number;
  readonly peakBytes: number;
  /** Scripts and blocking pops asked of Redis, per message. */
  readonly roundTrips: number;
  /** Of the process of Redis, per message, in µs; what shows and watches the messages is in it. */
  readonly redisMicros: number;
}

interface ThroughputOptions {
  readonly contenders: readonly Contender[];
  readonly concurrencies: readonly number[];
  readonly rounds: number;
  readonly messages: number;
  readonly profileFolder?: string | undefined;
  readonly onSample?: (sample: Sample) => void;
}

/**
 * Rounds that do not count: connections are opened, the code is compiled and memory is mapped again. Each contender speeds
 * up over its first 40,000 messages, and after ten idle seconds it is a third slower for 5,000.
 */
const WARM_UP_ROUNDS = 8;

/**
 * All contenders run from the start and take turns of a second or less: what disturbs the machine disturbs all alike. Who
 * waits for its turn has nothing to do.
 */
export async function measureThroughput(stand: Stand, options: ThroughputOptions): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const concurrency of options.concurrencies) {
    await stand.redis.flushall();
    const started: Started[] = [];
    try {
      for (const contender of options.contenders) {
        const running = await contender.start(stand, { concurrency, profileFolder: options.profileFolder });
        started.push({ name: contender.name, running });
      }
      for await (const sample of rounds(stand, started, { ...options, concurrency })) {
        samples.push(sample);
        options.onSample?.(sample);
      }
    } finally {
      await Promise.all(started.map(({ running }) => running.stop()));
    }
  }
  return samples;
}

/** Those that count. */
async function* rounds(
  stand: Stand,
  started: readonly Started[],
  { rounds, messages, concurrency }: Pick<ThroughputOptions, 'rounds' | 'messages'> & { readonly concurrency: number },
): AsyncGenerator<Sample> {
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const turn of turnsOf(started, round + WARM_UP_ROUNDS)) {
      const sample = { ...(await measure(stand, turn, messages)), concurrency, round };
      if (round >= 0) yield sample;
    }
  }
}

interface Started {
  readonly name: string;
  readonly running: Running;
}

/** One drain. */
export async function measure(
  stand: Stand,
  { name, running }: Started,
  messages: number,
): Promise<Omit<Sample, 'round' | 'concurrency'>> {
  await running.prepare(messages);
  const before = await reading(stand, running.pid);
  const startedAt = performance.now();
  await running.drain();
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = await reading(stand, running.pid);
  const delivered = after.requests - before.requests;
  if (delivered < messages) throw new Error(`${name} delivered ${delivered} of ${messages} messages.`);
  return {
    contender: name,
    pid: running.pid,
    messagesPerSecond: messages / seconds,
    cpuMicros: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / messages,
    peakBytes: after.peakBytes,
    roundTrips: (after.roundTrips - before.roundTrips) / messages,
    redisMicros: ((after.redisCpuSeconds - before.redisCpuSeconds) * 1e6) / messages,
  };
}

async function reading(stand: Stand, pid: number) {
  const [usage, requests, trips, redisCpu] = await Promise.all([
    usageOf(pid),
    stand.sink.requests(),
    roundTrips(stand.redis),
    redisCpuSeconds(stand.redis),
  ]);
  return { ...usage, requests, roundTrips: trips, redisCpuSeconds: redisCpu };
}

/**
 * Every second round another begins. The first two, which may be two checkouts of the product, swap places from each round
 * to the next: neither is always the one that comes after the other.
 */
export function turnsOf<T>(contenders: readonly T[], round: number): T[] {
  const [first, second, ...others] = contenders;
  const swapped = round % 2 === 1 && first !== undefined && second !== undefined;
  const order = swapped ? [second, first, ...others] : [...contenders];
  const at = Math.floor(round / 2) % Math.max(1, order.length);
  return [...order.slice(at), ...order.slice(0, at)];
}
