import { printable } from '../../src/shared/words/escape.js';
import { printJson, type RegisterCommand } from './kit/command.js';
import { addSupervisorOptions, withSupervisor } from './kit/supervisor-options.js';

export const registerRestart: RegisterCommand = (program, context) => {
  const command = program
    .command('restart')
    .argument('<worker>', 'its id, as in "status"')
    .description('give one worker a fresh process, without a gap; waits for it')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker restart worker-2\n');
  addSupervisorOptions(command).action(async (worker: string, { json }: { json?: true }) => {
    await withSupervisor(command, context, async (client) => {
      const path = `/workers/${encodeURIComponent(worker)}/restart`;
      const answer = await client.post<{ id: string; pid: number | null }>(path);
      if (json) printJson(context, answer);
      else context.print(`${printable(answer.id, 100)} has a new process (pid ${answer.pid})`);
    });
  });
};
