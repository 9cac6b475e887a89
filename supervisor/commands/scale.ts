import type { StatusDocument } from '../status/status-document.js';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { CommandError, printJson, usageError, type RegisterCommand } from './kit/command.js';
import { addSupervisorOptions, withSupervisor } from './kit/supervisor-options.js';
import { waitUntil } from './kit/wait-until.js';

/** New ones boot in a second or two, old ones may drain for `worker.shutdown_timeout` (25 s) and a grace of 3 s. */
const DEADLINE_MS = 40_000;

export const registerScale: RegisterCommand = (program, context) => {
  const command = program
    .command('scale')
    .argument('<workers>', 'number of workers')
    .description('change the number of workers until the next reload or restart; waits until it is reached')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker scale 5\n');
  addSupervisorOptions(command).action(async (text: string, { json }: { json?: true }) => {
    if (!/^\d{1,4}$/.test(text)) throw usageError(`${JSON.stringify(text)} is no number of workers; give 1 to 512.`);
    await withSupervisor(command, context, async (client) => {
      const answer = await client.post<{ workers_before: number; workers_wanted: number }>('/scale', {
        workers: Number(text),
      });
      const status = await waitUntil(async () => {
        const now = await client.get<StatusDocument>('/status');
        return isReached(now, answer.workers_wanted) ? now : undefined;
      }, DEADLINE_MS);
      if (!status) {
        throw new CommandError(
          EXIT_FAILURE,
          `${answer.workers_wanted} workers are wanted and not all there after ${DEADLINE_MS / 1000} s; see "message-broker-worker status".`,
        );
      }
      if (json) printJson(context, answer);
      else context.print(`Workers: ${answer.workers_before} → ${answer.workers_wanted}`);
    });
  });
};

/** Another `scale` meanwhile makes this one over. */
function isReached({ supervisor, workers }: StatusDocument, wanted: number): boolean {
  if (supervisor.workers_wanted !== wanted) return true;
  return workers.length === wanted && workers.every(({ state }) => state === 'ready' || state === 'degraded');
}
