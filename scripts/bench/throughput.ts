import type { Contender, Setup } from './contender.js';
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

/** Connections are open and the code is compiled when the clock starts, for every contender. */
export const WARM_UP_MESSAGES = 3_000;

/** Contenders take turns, and each round begins with another, so that what disturbs the machine disturbs all alike. */
export async function measureThroughput(stand: Stand, plan: ThroughputPlan): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    for (const concurrency of plan.concurrencies) {
      for (const contender of rotated(plan.contenders, round)) {
        const setup: Setup = { concurrency, profileFolder: plan.profileFolder };
        const sample = { ...(await measure(stand, contender, setup, plan.messages)), round };
        samples.push(sample);
        plan.onSample?.(sample);
      }
    }
  }
  return samples;
}

async function measure(
  stand: Stand,
  contender: Contender,
  setup: Setup,
  messages: number,
): Promise<Omit<Sample, 'round'>> {
  await stand.redis.flushall();
  const running = await contender.start(stand, setup);
  try {
    await running.prepare(WARM_UP_MESSAGES);
    await running.drain();
    await running.prepare(messages);
    const before = await reading(stand, running.pid);
    const startedAt = performance.now();
    await running.drain();
    const seconds = (performance.now() - startedAt) / 1_000;
    const after = await reading(stand, running.pid);
    const delivered = after.requests - before.requests;
    if (delivered < messages) throw new Error(`${contender.name} delivered ${delivered} of ${messages} messages.`);
    return {
      contender: contender.name,
      concurrency: setup.concurrency,
      pid: running.pid,
      messagesPerSecond: messages / seconds,
      cpuMicros: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / messages,
      peakBytes: after.peakBytes,
      roundTrips: (after.roundTrips - before.roundTrips) / messages,
    };
  } finally {
    await running.stop();
  }
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

export interface Ratio {
  readonly of: string;
  readonly to: string;
  readonly concurrency: number;
  readonly ratio: Spread;
}

/** Of messages per second, each taken within one round. */
export function ratiosOf(samples: readonly Sample[], of: string): Ratio[] {
  const others = [...new Set(samples.map(({ contender }) => contender))].filter((name) => name !== of);
  const concurrencies = [...new Set(samples.map(({ concurrency }) => concurrency))];
  const find = (contender: string, concurrency: number, round: number) =>
    samples.find((s) => s.contender === contender && s.concurrency === concurrency && s.round === round);
  const rounds = [...new Set(samples.map(({ round }) => round))];
  return concurrencies.flatMap((concurrency) =>
    others.map((to) => {
      const ratios = rounds.flatMap((round) => {
        const [mine, theirs] = [find(of, concurrency, round), find(to, concurrency, round)];
        return mine && theirs ? [mine.messagesPerSecond / theirs.messagesPerSecond] : [];
      });
      return { of, to, concurrency, ratio: spreadOf(ratios) };
    }),
  );
}
