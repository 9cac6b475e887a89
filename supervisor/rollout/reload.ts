/**
 * A reload, in this order:
 *
 *   read    the configuration again, from the same sources
 *   judge   which of it the running supervisor can take; the rest is a warning
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
import type { WorkerPool } from '../workers/worker-pool.js';
import { judge } from './judge.js';
import { rollingRestart } from './rolling-restart.js';

export interface ReloadResult {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly ok: boolean;
  /** Undefined after a success. */
  readonly reason: string | undefined;
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
  readonly log: Log;
  readonly clock: Clock;
}

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
    try {
      const wanted = this.#read();
      const config = this.#judge(wanted);
      const failure = await rollingRestart(this.#options.pool, config, this.#options.log);
      await this.#adopt(config);
      return this.#note(failure ? [failure.message] : []);
    } catch (error) {
      return this.#note(error instanceof ConfigError ? error.problems : [reasonOf(error)]);
    }
  }

  #read(): Config {
    const { config, warnings } = this.#options.read();
    for (const warning of warnings) this.#options.log.warn(warning);
    return config;
  }

  #judge(wanted: Config): Config {
    const { config, remarks } = judge(this.#options.pool.config, wanted);
    for (const remark of remarks) this.#options.log.warn(remark);
    return config;
  }

  async #adopt(config: Config): Promise<void> {
    if (this.#options.pool.config !== config) return;
    for (const part of this.#options.adopters) await part.adopt(config);
  }

  #note(problems: readonly string[]): ReloadResult {
    const { log, clock } = this.#options;
    const ok = problems.length === 0;
    for (const problem of problems) log.error(`Reload failed: ${problem}`);
    if (ok) log.info('Reload finished: all workers have the new configuration');
    this.#counts[ok ? 'ok' : 'failed'] += 1;
    this.#last = { at: new Date(clock.wallNow()).toISOString(), ok, reason: ok ? undefined : problems.join(' ') };
    return this.#last;
  }
}
