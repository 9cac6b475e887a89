import { MOST_WORKERS } from '../../src/shared/config/settings/process-settings.js';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import type { ControlClient } from '../admin/client.js';
import type { StatusDocument, WorkerStatus } from '../status/status-document.js';
import { CommandError, printJson, usageError, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, SUPERVISOR_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { addSupervisorOptions, withSupervisor } from './kit/options/supervisor-options.js';
import { waitUntil } from './kit/wait-until.js';

/**
 * New ones boot in a second or two, old ones may drain for `worker.shutdown_timeout` (25 s) and a grace of 3 s. Counted anew
 * with each worker that comes or goes: a slow host is waited for.
 */
const DEADLINE_MS = 40_000;

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'the number is reached'],
  [EXIT_FAILURE, `refused, changed again meanwhile, or no worker came or went for ${DEADLINE_MS / 1_000} s`],
  ...SUPERVISOR_EXIT_CODES,
];

export const registerScale: RegisterCommand = (program, context) => {
  const command = program
    .command('scale')
    .argument('<workers>', 'number of workers')
    .description(
      'change the number of workers until WORKER_COUNT changes or the supervisor restarts; waits until it is reached',
    )
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker scale 5\n');
  addSupervisorOptions(command).action(async (text: string, { json }: { json?: true }) => {
    if (!/^\d{1,4}$/.test(text) || Number(text) < 1 || Number(text) > MOST_WORKERS) {
      throw usageError(`${JSON.stringify(text)} is no number of workers; give 1 to ${MOST_WORKERS}.`);
    }
    await withSupervisor(command, context, async (client) => {
      const answer = await client.ask('scale', { workers: Number(text) });
      await untilReached(client, answer.workers_wanted);
      if (json) printJson(context, answer);
      else context.print(`Workers: ${answer.workers_before} → ${answer.workers_wanted}`);
    });
  });
  addExitCodes(command, EXIT_CODES);
};

/** Rejects with CommandError when it will not be reached, or is not for a long time. */
async function untilReached(client: ControlClient, wanted: number): Promise<void> {
  let there = '';
  for (;;) {
    const changed = await waitUntil(async () => {
      const status = await client.ask('status');
      const now = thereIn(status);
      return now !== there || isReached(status, wanted) ? { status, now } : undefined;
    }, DEADLINE_MS);
    if (!changed) {
      throw new CommandError(
        EXIT_FAILURE,
        `${wanted} workers are wanted and not all there; none came or went for ${DEADLINE_MS / 1000} s, see "message-broker-worker status".`,
      );
    }
    const { supervisor } = changed.status;
    if (supervisor.state === 'stopping') throw new CommandError(EXIT_FAILURE, 'The supervisor is stopping.');
    if (supervisor.workers_wanted !== wanted) {
      throw new CommandError(
        EXIT_FAILURE,
        `The number was changed again meanwhile: ${supervisor.workers_wanted} workers are wanted now.`,
      );
    }
    if (isReached(changed.status, wanted)) return;
    there = changed.now;
  }
}

/** Another text with each worker that comes or goes. */
function thereIn({ workers }: StatusDocument): string {
  return `${workers.filter(isThere).length} of ${workers.length}`;
}

function isReached({ workers }: StatusDocument, wanted: number): boolean {
  return workers.length === wanted && workers.every(isThere);
}

function isThere({ state }: WorkerStatus): boolean {
  return state === 'ready' || state === 'degraded';
}
