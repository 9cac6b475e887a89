import type { Contender, Running, Setup } from '../contenders/contender.js';
import { usageOf } from './process-usage.js';
import { roundTrips, type Stand } from './stand.js';
import { spreadOf, type Spread } from './statistics.js';

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
}

export interface ThroughputPlan {
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
 * All contenders run from the start and take turns of a second or less, each round beginning with another: what disturbs
 * the machine disturbs all alike. Who waits for its turn has nothing to do.
 */
export async function measureThroughput(stand: Stand, plan: ThroughputPlan): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const concurrency of plan.concurrencies) {
    await stand.redis.flushall();
    const setup: Setup = { concurrency, profileFolder: plan.profileFolder };
    const started: Started[] = [];
    try {
      for (const contender of plan.contenders) {
        started.push({ name: contender.name, running: await contender.start(stand, setup) });
      }
      for (let round = 0; round < WARM_UP_ROUNDS; round++) {
        for (const turn of rotated(started, round)) await measure(stand, turn, plan.messages);
      }
      for (let round = 0; round < plan.rounds; round++) {
        for (const turn of rotated(started, round)) {
          const sample = { ...(await measure(stand, turn, plan.messages)), concurrency, round };
          samples.push(sample);
          plan.onSample?.(sample);
        }
      }
    } finally {
      await Promise.all(started.map(({ running }) => running.stop()));
    }
  }
  return samples;
}

interface Started {
  readonly name: string;
  readonly running: Running;
}

async function measure(
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
  };
}

async function reading(stand: Stand, pid: number) {
  const [usage, requests, trips] = await Promise.all([usageOf(pid), stand.sink.requests(), roundTrips(stand.redis)]);
  return { ...usage, requests, roundTrips: trips };
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = by % Math.max(1, items.length);
  return [...items.slice(at), ...items.slice(0, at)];
}

export interface Summary {
  readonly contender: string;
  readonly concurrency: number;
  readonly messagesPerSecond: Spread;
  readonly cpuMicros: Spread;
  readonly peakBytes: number;
  readonly roundTrips: number;
}

export function summarise(samples: readonly Sample[]): Summary[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = `${sample.concurrency} ${sample.contender}`;
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const of = (pick: (sample: Sample) => number) => spreadOf(group.map(pick));
    return {
      contender: first.contender,
      concurrency: first.concurrency,
      messagesPerSecond: of((sample) => sample.messagesPerSecond),
      cpuMicros: of((sample) => sample.cpuMicros),
      peakBytes: of((sample) => sample.peakBytes).max,
      roundTrips: of((sample) => sample.roundTrips).median,
    };
  });
}

/** Taken within each round. */
export interface Ratio {
  readonly of: string;
  readonly to: string;
  readonly concurrency: number;
  /** Messages per second, ours to theirs. */
  readonly ratio: Spread;
  /** CPU per message, theirs to ours: it depends less on what else the machine does. */
  readonly cpuRatio: Spread;
}

export function ratiosOf(samples: readonly Sample[], of: string): Ratio[] {
  const others = [...new Set(samples.map(({ contender }) => contender))].filter((name) => name !== of);
  const concurrencies = [...new Set(samples.map(({ concurrency }) => concurrency))];
  return concurrencies.flatMap((concurrency) =>
    others.map((to) => {
      const pairs = pairsOf(samples, { of, to, concurrency });
      return {
        of,
        to,
        concurrency,
        ratio: spreadOf(pairs.map(([mine, theirs]) => mine.messagesPerSecond / theirs.messagesPerSecond)),
        cpuRatio: spreadOf(pairs.map(([mine, theirs]) => theirs.cpuMicros / mine.cpuMicros)),
      };
    }),
  );
}

function pairsOf(
  samples: readonly Sample[],
  { of, to, concurrency }: Pick<Ratio, 'of' | 'to' | 'concurrency'>,
): (readonly [mine: Sample, theirs: Sample])[] {
  const there = samples.filter((sample) => sample.concurrency === concurrency);
  return there.flatMap((mine) => {
    const theirs = there.find((sample) => sample.contender === to && sample.round === mine.round);
    return mine.contender === of && theirs ? [[mine, theirs] as const] : [];
  });
}
