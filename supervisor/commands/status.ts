import type { StatusDocument } from '../status/status-document.js';
import { printJson, usageError, type RegisterCommand } from './kit/command.js';
import { statusText } from './kit/status-table.js';
import { watchStatus } from './kit/status-watch.js';
import { addSupervisorOptions, withSupervisor } from './kit/supervisor-options.js';

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
      const status = await client.get<StatusDocument>('/status');
      if (json) printJson(context, status);
      else for (const line of statusText(status)) context.print(line);
    });
  });
};
