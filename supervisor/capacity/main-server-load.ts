/**
 * Asks the main server at increasing parallelism, and stops as soon as more brings no more.
 *
 * It may be a production server: so many requests at most, so many at once, no more time than was given, and not one
 * request more once it answers with an error of its own or not at all.
 */
import type { Clock } from '../../src/shared/time/clock.js';
import { MOST_PARALLEL, MOST_REQUESTS } from './limits.js';
import type { Level } from './model.js';
import type { Reply, RequestProbe } from '../../src/delivery/request-probe.js';
import { latenciesOf, type Latencies } from './statistics.js';

const STEPS = [1, 2, 4, 8, 16, 32, 64];
/** A level that is this much better than all before is worth another. */
const GAIN = 1.1;
/** Levels without gain before the climb ends: one may have been disturbed. */
const PATIENCE = 2;
/** Above this share of a core our own process, not the server, may be what is measured. */
const BUSY = 0.8;

interface MeasuredLevel extends Level, Latencies {
  /** This process was busy all the time: the server can do more than this. */
  readonly clientBound: boolean;
}

export interface Load {
  readonly status: number;
  /** The first request, with its TLS handshake. */
  readonly firstMs: number;
  readonly levels: readonly MeasuredLevel[];
  /** Why the climb ended early; undefined = all went well. */
  readonly problem: string | undefined;
}

interface LoadOptions {
  readonly probe: RequestProbe;
  readonly clock: Clock;
  /** For all levels together. */
  readonly ms: number;
  /** The parallelism of the configured settings, measured too. */
  readonly configured: number;
  readonly onProgress: (text: string) => void;
}

/** @returns a problem in place of a load when not one request was answered as a sound server does. */
export async function loadMainServer(options: LoadOptions): Promise<Load | string> {
  const { probe, clock, ms } = options;
  const end = new AbortController();
  const timer = clock.after(ms, () => end.abort());
  try {
    const first = await probe.get(end.signal);
    if (first.kind !== 'answer') return unanswered(first, ms);
    if (isSick(first.status)) return `it answers ${first.status}, so nothing more was sent`;
    const climb = new Climb(options, end.signal, clock.now() + ms - first.ms);
    const problem = await climb.run();
    if (climb.levels.length === 0)
      return problem ?? `no request was finished within ${ms / 1_000} s; give more --seconds`;
    return { status: first.status, firstMs: first.ms, levels: climb.levels, problem };
  } finally {
    timer.cancel();
  }
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
  readonly #end: AbortSignal;
  readonly #endMs: number;
  readonly #levels: MeasuredLevel[] = [];
  #problem: string | undefined;

  constructor(options: LoadOptions, end: AbortSignal, endMs: number) {
    this.#options = options;
    this.#end = end;
    this.#endMs = endMs;
  }

  get levels(): readonly MeasuredLevel[] {
    return this.#levels;
  }

  /** @returns why it ended early */
  async run(): Promise<string | undefined> {
    const { clock, configured, onProgress } = this.#options;
    const steps = [...new Set([...STEPS, Math.min(configured, MOST_PARALLEL)])].sort((a, b) => a - b);
    let [best, withoutGain] = [0, 0];
    for (const [at, parallel] of steps.entries()) {
      const left = steps.length - at;
      onProgress(`Asking the main server, ${parallel} at once`);
      const level = await this.#measure(parallel, (this.#endMs - clock.now()) / left, this.#requestsLeft() / left);
      if (this.#problem !== undefined || !level) break;
      this.#levels.push(level);
      withoutGain = level.perSecond > GAIN * best ? 0 : withoutGain + 1;
      best = Math.max(best, level.perSecond);
      if (withoutGain === PATIENCE) break;
    }
    return this.#problem;
  }

  #requestsLeft(): number {
    return MOST_REQUESTS - this.#options.probe.sent;
  }

  /** Undefined when the time was over before anything was measured. */
  async #measure(parallel: number, ms: number, requests: number): Promise<MeasuredLevel | undefined> {
    const { clock } = this.#options;
    let left = Math.floor(requests) - parallel;
    const taken: number[] = [];
    const inParallel = (work: () => Promise<unknown>) => Promise.all(Array.from({ length: parallel }, work));
    await inParallel(() => this.#ask()); // opens the connections
    const startMs = clock.now();
    const cpuBefore = process.cpuUsage();
    await inParallel(async () => {
      while (left-- > 0 && clock.now() - startMs < ms) {
        const answer = await this.#ask();
        if (answer === undefined) return;
        taken.push(answer);
      }
    });
    const { user, system } = process.cpuUsage(cpuBefore);
    const share = (user + system) / 1_000 / (clock.now() - startMs);
    if (taken.length === 0) return undefined;
    const latencies = latenciesOf(taken);
    // the loops end one after the other: by Little's law their tail does not count
    const perSecond = (parallel * 1_000) / latencies.meanMs;
    return { parallel, perSecond, clientBound: share > BUSY, ...latencies };
  }

  /** Milliseconds, or undefined when this was the last one. */
  async #ask(): Promise<number | undefined> {
    if (this.#problem !== undefined) return undefined;
    const reply = await this.#options.probe.get(this.#end);
    if (reply.kind === 'aborted') return undefined;
    if (reply.kind === 'answer' && !isSick(reply.status)) return reply.ms;
    this.#problem ??= reply.kind === 'none' ? reply.problem : `it began to answer ${reply.status}`;
    return undefined;
  }
}
