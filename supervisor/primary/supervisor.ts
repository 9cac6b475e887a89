/**
 * Starts the primary process and ends it: pidfile first, then the log, then the reconcile loop (reconcile-loop.ts).
 *
 * If the primary itself crashes it says so and exits with code 1 without touching the children: they notice, drain and end
 * by themselves, and the next supervisor recovers what they leave.
 */
import { fileURLToPath } from 'node:url';

import { systemClock } from '../../src/shared/time/clock.js';
import { EXIT_CONFIG, reasonOf } from '../../src/shared/errors.js';
import { createLogger } from '../../src/shared/logger/logger.js';
import { prepareForks } from '../workers/forked-child.js';
import { acquirePidfile, AlreadyRunningError, type Pidfile } from './pidfile.js';
import { ReconcileLoop, type SupervisorOptions } from './reconcile-loop.js';

/**
 * Runs until it is told to stop and everything is closed; resolves to the exit code: 0 after a clean stop, 1 when a child
 * had to be killed, when no child could be started or another supervisor runs, 78 when the configuration is no good.
 */
export async function runSupervisor(
  options: Omit<SupervisorOptions, 'childEntry'> & {
    /** Another one than src/main.ts only in tests. */
    readonly childEntry?: string;
  },
): Promise<number> {
  const { config } = options.loaded;
  let pidfile: Pidfile;
  try {
    pidfile = acquirePidfile(config.supervisor);
  } catch (error) {
    process.stderr.write(`ERROR: ${reasonOf(error)}\n`);
    return error instanceof AlreadyRunningError ? 1 : EXIT_CONFIG;
  }
  const logger = createLogger({ logging: config.logging, name: 'supervisor', ownsRotation: true, clock: systemClock });
  logger.start();
  const crash = (error: unknown): void => {
    logger.crash(`The supervisor crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  };
  const release = (): void => pidfile.release();
  process.once('exit', release);
  process.once('uncaughtException', crash);
  const childEntry = options.childEntry ?? fileURLToPath(new URL('../../src/main.js', import.meta.url));
  prepareForks(childEntry);
  try {
    return await new ReconcileLoop({ ...options, childEntry }, logger, systemClock).run();
  } finally {
    pidfile.release();
    await logger.stop();
    process.off('exit', release);
    process.off('uncaughtException', crash);
  }
}
