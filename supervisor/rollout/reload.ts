/**
 * A reload: read the configuration again, judge it, replace the workers one by one.
 *
 * SIGHUPs within a second are one reload, which reads the files when that second is over; one that comes while a reload
 * runs leads to one more. Whatever goes wrong, the old set serves on and `last` says what it was.
 */
import type { Config } from '../../src/shared/config/config.js';
import type { LoadedConfig } from '../../src/shared/config/load.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { ConfigError, reasonOf } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';

export interface ReloadResult {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly ok: boolean;
  /** Undefined after a success. */
  readonly reason: string | undefined;
}

export interface ReloaderParams {
  /** Reads .env and the configuration file again; throws ConfigError. */
  readonly read: () => LoadedConfig;
  readonly current: () => Config;
  /** Puts the new configuration into service; rejects when the old one serves on. */
  readonly apply: (config: Config) => Promise<void>;
  readonly log: Log;
  readonly clock: Clock;
}

const GATHER_MS = 1_000;

export class Reloader {
  readonly #params: ReloaderParams;
  last: ReloadResult | undefined;
  readonly counts = { ok: 0, failed: 0 };
  #dueAt = Infinity;
  #waiting: ((result: ReloadResult) => void)[] = [];

  constructor(params: ReloaderParams) {
    this.#params = params;
  }

  /** Asks for a reload; those already asked for and not begun are the same one. */
  request(): void {
    if (this.#dueAt === Infinity) this.#dueAt = this.#params.clock.now() + GATHER_MS;
  }

  /** As `request`; resolves to the result of the reload that begins after this call. */
  requested(): Promise<ReloadResult> {
    this.request();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** No reload will come any more. */
  refuse(reason: string): void {
    const result = { at: new Date(this.#params.clock.wallNow()).toISOString(), ok: false, reason };
    for (const resolve of this.#waiting.splice(0)) resolve(result);
  }

  dueInMs(): number {
    return this.#dueAt - this.#params.clock.now();
  }

  /** Never rejects: the result stands in `last`. */
  async run(): Promise<void> {
    this.#dueAt = Infinity;
    const { log, clock } = this.#params;
    const waiting = this.#waiting.splice(0);
    log.info('Reloading the configuration...');
    const problems = await this.#attempt();
    for (const problem of problems) log.error(`Reload failed: ${problem}`);
    const ok = problems.length === 0;
    this.counts[ok ? 'ok' : 'failed'] += 1;
    this.last = { at: new Date(clock.wallNow()).toISOString(), ok, reason: ok ? undefined : problems.join(' ') };
    if (ok) log.info('Reload finished: all workers have the new configuration');
    for (const resolve of waiting) resolve(this.last);
  }

  async #attempt(): Promise<readonly string[]> {
    const { read, current, apply, log } = this.#params;
    try {
      const { config, warnings } = read();
      for (const warning of [...warnings, ...needsRestart(current(), config)]) log.warn(warning);
      await apply(keepFixed(current(), config));
      return [];
    } catch (error) {
      return error instanceof ConfigError ? error.problems : [reasonOf(error)];
    }
  }
}

/** Settings that the running primary cannot change, each with its value as text. */
function fixedSettings({ supervisor, logging }: Config): Readonly<Record<string, string>> {
  return {
    SUPERVISOR_HOST: supervisor.host,
    SUPERVISOR_PORT: String(supervisor.port),
    SUPERVISOR_RUNTIME_DIR: supervisor.runtimeDir,
    LOG_FILE_PATH: `${logging.directory}/${logging.fileName}`,
    LOG_FORMAT: logging.format,
    LOG_ROTATION_DAYS: String(logging.retentionDays),
  };
}

/** One sentence for each changed setting that only a restart of the supervisor applies. */
export function needsRestart(before: Config, after: Config): string[] {
  const wanted = fixedSettings(after);
  return Object.entries(fixedSettings(before))
    .filter(([name, value]) => wanted[name] !== value)
    .map(([name, value]) => `${name} changed to ${wanted[name]}; it stays ${value} until the supervisor is restarted.`);
}

/** The new configuration with those settings as they are. */
function keepFixed(before: Config, after: Config): Config {
  const { directory, fileName, format, retentionDays } = before.logging;
  return {
    ...after,
    supervisor: { ...after.supervisor, ...pickAddress(before.supervisor) },
    logging: { ...after.logging, directory, fileName, format, retentionDays },
  };
}

function pickAddress({
  host,
  port,
  runtimeDir,
}: Config['supervisor']): Pick<Config['supervisor'], 'host' | 'port' | 'runtimeDir'> {
  return { host, port, runtimeDir };
}
