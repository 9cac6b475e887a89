import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { printable } from '../../src/shared/words/escape.js';
import { printJson, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, SUPERVISOR_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { addSupervisorOptions, withSupervisor } from './kit/options/supervisor-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'the worker has a new process'],
  [EXIT_FAILURE, 'there is no such worker, its old process serves on, or the supervisor is stopping'],
  ...SUPERVISOR_EXIT_CODES,
];

export const registerRestart: RegisterCommand = (program, context) => {
  const command = program
    .command('restart')
    .argument('<worker>', 'its id, as in "status"')
    .description('give one worker a fresh process, without a gap; waits for it')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker restart worker-2\n');
  addSupervisorOptions(command).action(async (worker: string, { json }: { json?: true }) => {
    await withSupervisor(command, context, async (client) => {
      const answer = await client.ask('restart', { id: worker });
      if (json) printJson(context, answer);
      else context.print(`${printable(answer.id, 100)} has a new process (pid ${answer.pid})`);
    });
  });
  addExitCodes(command, EXIT_CODES);
};
