/**
 * Asks the main server at increasing parallelism, and stops as soon as more only waits or brings no more.
 *
 * It may be a production server: so many requests at most, so many at once, no more time than was given, and not one
 * request more once it answers with an error of its own, or not at all.
 */
import type { RequestProbe, Reply } from '../../src/delivery/request-probe.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { MOST_REQUESTS } from './limits.js';
import type { Level } from './model.js';
import { latenciesOf, type Latencies } from './statistics.js';

const STEPS = [1, 2, 4, 8, 16, 32, 64];
/** A level that is this much better than all before is worth another. */
const GAIN = 1.1;
/** Levels without gain before the climb ends: one may have been disturbed. */
const PATIENCE = 2;
/** So many times the time of one alone: the requests wait for each other, and more would wait longer. */
const SLOW = 3;
/** What takes longer is not answered: the original main server that has no connection left is silent for 30 s. */
const ANSWER_MS = 5_000;
/** Above this share of a core our own process, not the server, may be what is measured. */
const BUSY = 0.8;
/** Fewer requests say nothing of their CPU time, which is counted in steps of milliseconds. */
const ENOUGH_FOR_CPU = 100;

export interface MeasuredLevel extends Level, Latencies {
  /** This process was busy all the time: the server can do more than this. */
  readonly clientBound: boolean;
  /** CPU time of this process per request; undefined = too few requests. */
  readonly cpuSeconds: number | undefined;
}

export interface Load {
  readonly status: number;
  /** The first request, with its TLS handshake. */
  readonly firstMs: number;
  readonly levels: readonly MeasuredLevel[];
  /** It stopped at the last level since each request took so many times as long as one alone; undefined = it did not. */
  readonly slowness: number | undefined;
  /** Why the climb ended early; undefined = all went well. */
  readonly problem: string | undefined;
}

interface LoadOptions {
  readonly probe: Pick<RequestProbe, 'get' | 'sent'>;
  readonly clock: Clock;
  /** For all levels together; what is under way then is waited for. */
  readonly ms: number;
  readonly mostParallel: number;
  /** The parallelism of the configured settings, measured too if it is not more than that. */
  readonly configured: number;
  readonly onProgress: (text: string) => void;
}

/** @returns a problem in place of a load when not one request was answered as a sound server does. */
export async function loadMainServer(options: LoadOptions): Promise<Load | string> {
  const { probe, clock, ms } = options;
  const end = new AbortController();
  const timer = clock.after(ms, () => end.abort());
  const first = await probe.get(end.signal).finally(() => timer.cancel());
  if (first.kind !== 'answer') return unanswered(first, ms);
  if (isSick(first.status)) return `it answers ${first.status}, so nothing more was sent`;
  const climb = new Climb(options, clock.now() + ms - first.ms);
  const problem = await climb.run();
  const { levels, slowness } = climb;
  if (levels.length === 0) return problem ?? `no request was finished within ${ms / 1_000} s; give more --seconds`;
  return { status: first.status, firstMs: first.ms, levels, slowness, problem };
}

/** 429 and 5xx: it cannot serve anyone now. Other answers cost what they cost. */
function isSick(status: number): boolean {
  return status === 429 || status >= 500;
}

function unanswered(reply: Exclude<Reply, { kind: 'answer' }>, ms: number): string {
  return reply.kind === 'none' ? reply.problem : `no answer within ${ms / 1_000} s`;
}

class Climb {
  readonly #options: LoadOptions;
  /** Cuts all that is under way: one of them was not answered. */
  readonly #cut = new AbortController();
  readonly #endMs: number;
  readonly #levels: MeasuredLevel[] = [];
  #slowness: number | undefined;
  #problem: string | undefined;

  constructor(options: LoadOptions, endMs: number) {
    this.#options = options;
    this.#endMs = endMs;
  }

  get levels(): readonly MeasuredLevel[] {
    return this.#levels;
  }

  get slowness(): number | undefined {
    return this.#slowness;
  }

  /** @returns why it ended early */
  async run(): Promise<string | undefined> {
    const { clock, mostParallel, configured, onProgress } = this.#options;
    const wanted = [...new Set([...STEPS, configured, mostParallel])].sort((a, b) => a - b);
    const steps = wanted.filter((step) => step <= mostParallel);
    let [best, withoutGain] = [0, 0];
    for (const [at, parallel] of steps.entries()) {
      const left = steps.length - at;
      onProgress(`Asking the main server, ${parallel} at once`);
      const level = await this.#measure(parallel, (this.#endMs - clock.now()) / left, this.#requestsLeft() / left);
      if (this.#problem !== undefined || !level) break;
      this.#levels.push(level);
      this.#slowness = this.#slownessOf(level);
      if (this.#slowness !== undefined) break;
      withoutGain = level.perSecond > GAIN * best ? 0 : withoutGain + 1;
      best = Math.max(best, level.perSecond);
      if (withoutGain === PATIENCE) break;
    }
    return this.#problem;
  }

  #slownessOf({ p50Ms }: MeasuredLevel): number | undefined {
    const times = p50Ms / (this.#levels[0]?.p50Ms ?? p50Ms);
    return times > SLOW ? times : undefined;
  }

  #requestsLeft(): number {
    return MOST_REQUESTS - this.#options.probe.sent;
  }

  /** Undefined when the time was over before anything was measured. */
  async #measure(parallel: number, ms: number, requests: number): Promise<MeasuredLevel | undefined> {
    const { clock } = this.#options;
    if (ms <= 0) return undefined;
    let left = Math.floor(requests) - parallel;
    const taken: number[] = [];
    const inParallel = (work: () => Promise<unknown>) => Promise.all(Array.from({ length: parallel }, work));
    await inParallel(() => this.#ask(parallel)); // opens the connections
    const startMs = clock.now();
    const cpuBefore = process.cpuUsage();
    await inParallel(async () => {
      while (left-- > 0 && clock.now() - startMs < ms) {
        const answer = await this.#ask(parallel);
        if (answer === undefined) return;
        taken.push(answer);
      }
    });
    const { user, system } = process.cpuUsage(cpuBefore);
    if (taken.length === 0) return undefined;
    const latencies = latenciesOf(taken);
    return {
      parallel,
      // the loops end one after the other: by Little's law their tail does not count
      perSecond: (parallel * 1_000) / latencies.meanMs,
      clientBound: (user + system) / 1_000 / (clock.now() - startMs) > BUSY,
      cpuSeconds: taken.length < ENOUGH_FOR_CPU ? undefined : (user + system) / 1e6 / taken.length,
      ...latencies,
    };
  }

  /** Milliseconds, or undefined when this was the last one. */
  async #ask(parallel: number): Promise<number | undefined> {
    if (this.#problem !== undefined) return undefined;
    const { clock, probe } = this.#options;
    const late = clock.after(ANSWER_MS, () => {
      this.#problem ??= `no answer within ${ANSWER_MS / 1_000} s with ${parallel} at once`;
      this.#cut.abort();
    });
    const reply = await probe.get(this.#cut.signal);
    late.cancel();
    if (reply.kind === 'aborted') return undefined;
    if (reply.kind === 'answer' && !isSick(reply.status)) return reply.ms;
    this.#problem ??= reply.kind === 'none' ? reply.problem : `it began to answer ${reply.status}`;
    return undefined;
  }
}
