import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { ControlError } from '../admin/client-errors.js';
import { isRunning } from '../workers/process/process-running.js';
import { CommandError, printJson, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, SUPERVISOR_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { addSupervisorOptions, withSupervisor } from './kit/options/supervisor-options.js';
import { waitUntil } from './kit/wait-until.js';

/** `worker.shutdown_timeout` goes up to an hour; who waits longer wants to know. */
const DEADLINE_MS = 3_700_000;
/** In a row. */
const SILENCES = 2;

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'the supervisor has stopped'],
  [EXIT_FAILURE, 'refused, or not stopped after an hour'],
  ...SUPERVISOR_EXIT_CODES,
];

export const registerStop: RegisterCommand = (program, context) => {
  const command = program
    .command('stop')
    .description('stop the supervisor: its workers finish what they hold; waits until it is gone')
    .option('--now', 'do not wait for what is in flight: hand it back to the queue')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker stop\n');
  addSupervisorOptions(command).action(async ({ now, json, url }: { now?: true; json?: true; url?: string }) => {
    await withSupervisor(command, context, async (client) => {
      const answer = await client.ask('stop', { now: now ?? false });
      let silences = 0;
      const isGone = async (): Promise<true | undefined> => {
        const answers = await client.ask('health').then(always, isAnAnswer);
        silences = answers ? 0 : silences + 1;
        // it closes its socket a moment before it ends; from another host one lost answer says nothing
        return silences < SILENCES || (!url && isRunning(answer.pid)) ? undefined : true;
      };
      if (!(await waitUntil(isGone, DEADLINE_MS))) {
        throw new CommandError(EXIT_FAILURE, `The supervisor (pid ${answer.pid}) has not stopped after an hour.`);
      }
      if (json) printJson(context, { stopped: true, pid: answer.pid });
      else context.print(`The supervisor (pid ${answer.pid}) has stopped.`);
    });
  });
  addExitCodes(command, EXIT_CODES);
};

const always = (): boolean => true;

/** Unhealthy or not, it is there. */
function isAnAnswer(error: unknown): boolean {
  return error instanceof ControlError;
}
