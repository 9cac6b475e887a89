/**
 * Starts the primary process and ends it: pidfile first, then the log, then all parts (composition.ts).
 *
 * If the primary itself crashes it says so and exits with code 1 without touching the children: they notice, drain and end
 * by themselves, and the next supervisor recovers what they leave.
 */
import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { LoadedConfig } from '../../src/shared/config/load.js';
import { packageVersion } from '../../src/shared/config/package-root.js';
import { EXIT_CONFIG, EXIT_FAILURE, reasonOf } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';
import { createLogger } from '../../src/shared/logger/logger.js';
import { outliveTerminal } from '../../src/shared/terminal.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { systemRandom } from '../../src/shared/time/random.js';
import type { Origin } from '../admin/protocol.js';
import { controlSocketPath } from '../admin/socket-path.js';
import { processName } from '../instances/instance.js';
import { InstanceNotice } from '../instances/notice.js';
import { placesToLeave } from '../instances/places.js';
import { forkChild, prepareForks } from '../workers/process/forked-child.js';
import type { Composition } from './composition.js';
import { AlreadyRunningError, Pidfile } from './pidfile.js';
import { PidfileWatch } from './pidfile-watch.js';

const IN_A_CLUSTER =
  'The supervisor forks its own workers, so it cannot be a worker of another cluster. With pm2, start it in fork mode: without -i, or with exec_mode "fork".';

/** On one core, too, two boots overlap well: half of each is waiting. */
const LEAST_BOOT_AT_ONCE = 2;

interface SupervisorOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration again from the same sources; throws ConfigError. */
  readonly reload: () => LoadedConfig;
  /** What that takes, for commands that are given elsewhere. */
  readonly origin: Origin;
  /** Another one than src/main.ts only in tests. */
  readonly childEntry?: string;
}

/**
 * Runs until it is told to stop and everything is closed; resolves to the exit code: 0 after a clean stop, 1 when a child
 * had to be killed, when no child could be started or another supervisor runs, 78 when the configuration is no good.
 */
export async function runSupervisor(options: SupervisorOptions): Promise<number> {
  const { config } = options.loaded;
  if (!cluster.isPrimary) {
    process.stderr.write(`ERROR: ${IN_A_CLUSTER}\n`);
    return EXIT_CONFIG;
  }
  const { Composition } = await loadParts();
  const pidfile = new Pidfile(config.supervisor);
  try {
    await pidfile.start();
  } catch (error) {
    process.stderr.write(`ERROR: ${reasonOf(error)}\n`);
    return error instanceof AlreadyRunningError ? EXIT_FAILURE : EXIT_CONFIG;
  }
  outliveTerminal();
  const log = createLogger({ logging: config.logging, name: 'supervisor', ownsRotation: true, clock: systemClock });
  const crash = (error: unknown): void => {
    log.crash(`The supervisor crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(EXIT_FAILURE);
  };
  const notice = noticeOf(options, log);
  const release = (): void => {
    notice.release();
    pidfile.release();
  };
  process.once('exit', release);
  process.once('uncaughtException', crash);
  const childEntry = options.childEntry ?? fileURLToPath(new URL('../../src/main.js', import.meta.url));
  prepareForks(childEntry);
  const given = { ...options, ...surroundings(), childEntry, log };
  const primary = new Composition({ ...given, fork: () => forkChild(log) });
  const watch = new PidfileWatch({ pidfile, log, clock: systemClock });
  try {
    log.start();
    watch.start();
    notice.start();
    announce(options.loaded, log);
    return await live(primary, log);
  } finally {
    await watch.stop();
    release();
    await log.stop();
    process.off('exit', release);
    process.off('uncaughtException', crash);
  }
}

/** What this process and its machine give. */
function surroundings() {
  return {
    environment: process.env,
    clock: systemClock,
    random: systemRandom,
    nonce: newNonce,
    bootAtOnce: Math.max(LEAST_BOOT_AT_ONCE, availableParallelism()),
  };
}

/** In steps, as in src/main.ts: Node opens all files that it has heard of at once, more than 60 of them for this in one step. */
async function loadParts() {
  await import('../queue/queue-access.js');
  await import('../status/supervisor-metrics.js');
  await import('../status/status-source.js');
  await import('../admin/routes/control.js');
  await import('../admin/routes/reading.js');
  await import('../admin/routes/messages.js');
  await import('../admin/routes/message-actions.js');
  await import('../admin/tcp-server.js');
  await import('../admin/unix-socket.js');
  await import('../rollout/reload.js');
  await import('../queue/queue-monitor.js');
  await import('../queue/lease-observer.js');
  await import('./surface.js');
  return import('./composition.js');
}

/** By which commands find it from any folder. */
function noticeOf({ loaded: { config, sources }, origin }: SupervisorOptions, log: Log): InstanceNotice {
  const { supervisor, queue } = config;
  const instance = {
    process: processName(),
    port: supervisor.port,
    queue: queue.name,
    directory: origin.directory,
    socket: resolve(controlSocketPath(supervisor)),
    config_file: sources.configFile ?? null,
    env_file: sources.envFile ?? null,
    version: packageVersion(),
  };
  return new InstanceNotice({ places: placesToLeave(process.env), instance, log, clock: systemClock });
}

function announce({ config, sources, warnings }: LoadedConfig, log: Log): void {
  log.info(`Supervisor ${packageVersion()} (pid ${process.pid}) starts ${config.worker.count} workers`);
  if (sources.configFile !== undefined) log.info(`Configuration file: ${sources.configFile}`);
  for (const warning of warnings) log.warn(warning);
}

async function live(primary: Composition, log: Log): Promise<number> {
  try {
    await primary.start();
  } catch (error) {
    await primary.stop();
    throw error;
  }
  await primary.ended;
  await primary.stop();
  log.info('Supervisor stopped');
  return primary.exitCode;
}

function newNonce(): string {
  return randomBytes(6).toString('hex');
}
