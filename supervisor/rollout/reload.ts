/**
 * A reload, in this order:
 *
 *   read    the configuration again, from the same sources
 *   judge   which of it the running supervisor can take; the rest is a warning
 *   look    whether the old queue would be left with messages in it
 *   roll    every worker over to it, a canary first
 *   adopt   it in the primary, as soon as it is what restarts use, even if the roll stopped half-way
 *   note    how it went
 *
 * Whatever goes wrong, workers serve on and `last` says what it was.
 */
import type { Config } from '../../src/shared/config/config.js';
import type { LoadedConfig } from '../../src/shared/config/load.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { ConfigError, reasonOf } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';
import { whyNotAsMany } from '../workers/number-of-workers.js';
import type { WorkerPool } from '../workers/worker-pool.js';
import { judge } from './judge.js';
import { rollingRestart } from './rolling-restart.js';

export interface ReloadResult {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly ok: boolean;
  /** Undefined after a success. */
  readonly reason: string | undefined;
  /** What else the operator should know, a sentence each. */
  readonly remarks: readonly string[];
}

/** Knows what stays behind when messages are taken from somewhere else. */
export interface OldQueue {
  /** `refusal` = a sentence: it still holds what nobody would deliver. Never rejects. */
  before(was: Config, is: Config): Promise<Move>;
  /** What came to lie there while the workers were replaced, as a sentence. Never rejects. */
  after(was: Config): Promise<string | undefined>;
}

interface Move {
  readonly isOne: boolean;
  readonly refusal?: string;
  readonly remark?: string;
}

/** A part of the primary that takes something from the configuration. */
export interface Adopter {
  adopt(config: Config): void | Promise<void>;
}

interface ReloadOptions {
  /** Reads .env and the configuration file again; throws ConfigError. */
  readonly read: () => LoadedConfig;
  readonly pool: WorkerPool;
  readonly adopters: readonly Adopter[];
  readonly oldQueue: OldQueue;
  readonly log: Log;
  readonly clock: Clock;
}

/** As workers/worker-handle.ts has it, and a moment. */
const DRAIN_GRACE_MS = 4_000;

export class Reload {
  readonly #options: ReloadOptions;
  #last: ReloadResult | undefined;
  #counts = { ok: 0, failed: 0 };

  constructor(options: ReloadOptions) {
    this.#options = options;
  }

  get last(): ReloadResult | undefined {
    return this.#last;
  }

  get counts(): { readonly ok: number; readonly failed: number } {
    return this.#counts;
  }

  /** Never rejects. One at a time. */
  async run(): Promise<ReloadResult> {
    this.#options.log.info('Reloading the configuration...');
    const remarks: string[] = [];
    try {
      return this.#note(await this.#reload(remarks), remarks);
    } catch (error) {
      return this.#note(error instanceof ConfigError ? error.problems : [reasonOf(error)], remarks);
    }
  }

  /** What went wrong. */
  async #reload(remarks: string[]): Promise<readonly string[]> {
    const { pool, log, oldQueue } = this.#options;
    const before = { config: pool.config, workers: pool.target };
    const config = this.#judge(this.#read(), remarks);
    const move = await oldQueue.before(before.config, config);
    this.#remark(remarks, move.remark);
    if (move.refusal !== undefined) return [move.refusal];
    const failure = await rollingRestart(pool, config, log);
    if (pool.config !== config) return failure ? [failure.message] : [];
    this.#remark(remarks, aboutTheNumber(before, { config, workers: pool.target }));
    for (const part of this.#options.adopters) await part.adopt(config);
    if (move.isOne) this.#remark(remarks, await this.#leftBehind(before.config));
    return failure ? [failure.message] : [];
  }

  /** Old workers put down retries until they have ended. */
  async #leftBehind(was: Config): Promise<string | undefined> {
    const { pool, oldQueue } = this.#options;
    const haveEnded = (): boolean => pool.slots.every(({ leaving }) => leaving.size === 0);
    await pool.until(haveEnded, was.worker.shutdownTimeoutMs + DRAIN_GRACE_MS);
    return oldQueue.after(was);
  }

  #read(): Config {
    const { config, warnings } = this.#options.read();
    for (const warning of warnings) this.#options.log.warn(warning);
    return config;
  }

  #judge(wanted: Config, remarks: string[]): Config {
    const { config, remarks: unchanged } = judge(this.#options.pool.config, wanted);
    for (const remark of unchanged) this.#remark(remarks, remark);
    return config;
  }

  #remark(remarks: string[], remark: string | undefined): void {
    if (remark === undefined) return;
    remarks.push(remark);
    this.#options.log.warn(remark);
  }

  #note(problems: readonly string[], remarks: readonly string[]): ReloadResult {
    const { log, clock } = this.#options;
    const ok = problems.length === 0;
    for (const problem of problems) log.error(`Reload failed: ${problem}`);
    if (ok) log.info('Reload finished: all workers have the new configuration');
    this.#counts[ok ? 'ok' : 'failed'] += 1;
    const at = new Date(clock.wallNow()).toISOString();
    this.#last = { at, ok, reason: ok ? undefined : problems.join(' '), remarks };
    return this.#last;
  }
}

interface Workers {
  readonly config: Config;
  readonly workers: number;
}

/** Undefined = it is what it was, and what the configuration says. */
function aboutTheNumber(before: Workers, after: Workers): string | undefined {
  const [was, is] = [before.config.worker.count, after.config.worker.count];
  const isAsWanted = before.workers === after.workers;
  if (was !== is) return `WORKER_COUNT changed from ${was} to ${is}: ${before.workers} workers → ${after.workers}.`;
  if (!isAsWanted) {
    const why = whyNotAsMany(after.config, before.workers) ?? 'The number was changed meanwhile.';
    return `Workers: ${before.workers} → ${after.workers}. ${why}`;
  }
  if (is === after.workers) return undefined;
  return `The number of workers stays ${after.workers}, as it was scaled; WORKER_COUNT is still ${is}.`;
}
