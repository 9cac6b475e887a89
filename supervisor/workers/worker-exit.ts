import { EXIT_CONFIG, EXIT_FAILURE, isPermanent } from '../../src/shared/errors.js';
import type { WorkerHandle } from './worker-handle.js';

/** Crashes at boot of one worker before the supervisor gives up, while no worker was ever ready. */
const BOOT_CRASH_LIMIT = 3;

/** Why no start can succeed. */
export interface Fatality {
  readonly exitCode: number;
  readonly reason: string;
}

/** `bootCrashes` = deaths of this worker before it had booted, one after the other, this one included. */
export function fatalityOf(handle: WorkerHandle, bootCrashes: number): Fatality | undefined {
  const { bootFailure, workerId } = handle;
  const words = exitInWords(handle);
  if (bootFailure && isPermanent(bootFailure.code)) return { exitCode: EXIT_CONFIG, reason: `${workerId} ${words}` };
  if (bootCrashes < BOOT_CRASH_LIMIT) return undefined;
  return { exitCode: EXIT_FAILURE, reason: `${workerId} died ${bootCrashes} times before it had started: ${words}` };
}

/** How a process ended, to stand after its name. */
export function exitInWords(handle: WorkerHandle): string {
  const { exit, killedBecause, bootFailure } = handle;
  if (killedBecause !== undefined) return `${killedBecause} and was killed`;
  if (bootFailure) return `could not start: ${bootFailure.message}`;
  if (exit?.signal === 'SIGKILL') return 'was killed by SIGKILL (somebody sent it, or the system ran out of memory)';
  if (exit?.signal === 'SIGABRT') return 'was ended by SIGABRT (out of JavaScript heap memory, or a failed assertion)';
  if (exit?.signal !== undefined) return `was ended by ${exit.signal}`;
  if (exit?.code === undefined) return 'could not be started by the system';
  return `${handle.hasBooted ? 'exited' : 'exited before it had started'} with code ${exit.code}`;
}
