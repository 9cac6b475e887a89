import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { printJson, usageError, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, SUPERVISOR_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { addSupervisorOptions, withSupervisor } from './kit/options/supervisor-options.js';
import { statusText } from './status/text.js';
import { watchStatus } from './status/watch.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'shown, whatever the state'],
  [EXIT_FAILURE, 'what answers is no supervisor, or belongs to another user'],
  ...SUPERVISOR_EXIT_CODES,
];

export const registerStatus: RegisterCommand = (program, context) => {
  const command = program
    .command('status')
    .description('show the supervisor, its workers and the queue')
    .option('--watch', 'go on showing it, once a second, until Ctrl-C')
    .option('--json', 'print the whole document')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker status --watch\n');
  addSupervisorOptions(command).action(async ({ watch, json }: { watch?: true; json?: true }) => {
    if (watch && json) throw usageError('--watch and --json exclude each other.');
    await withSupervisor(command, context, async (client) => {
      if (watch) return watchStatus(client, context);
      const status = await client.ask('status');
      if (json) printJson(context, status);
      else for (const line of statusText(status)) context.print(line);
    });
  });
  addExitCodes(command, EXIT_CODES);
};
