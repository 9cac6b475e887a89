import { isPermanent } from '../../src/shared/errors.js';
import type { WorkerHandle } from './worker-handle.js';

/** Crashes at boot of one worker before the supervisor gives up, while no worker was ever ready. */
const BOOT_CRASH_LIMIT = 3;

export function failedForGood(handle: WorkerHandle): boolean {
  return handle.bootFailure !== undefined && isPermanent(handle.bootFailure.code);
}

export function isCrashLoopAtBoot(bootCrashes: number): boolean {
  return bootCrashes >= BOOT_CRASH_LIMIT;
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
