import type { RegisterCommand } from './kit/command.js';
import { addConfigOptions, loadFromCommand, loadOrReport } from './kit/config-options.js';

export const registerStart: RegisterCommand = (program, context) => {
  const command = program
    .command('start')
    .description('start the supervisor with its workers and stay in the foreground')
    .addHelpText(
      'after',
      '\nWhile it runs there is a dashboard on http://SUPERVISOR_HOST:SUPERVISOR_PORT/ for a browser.',
    );
  addConfigOptions(command, 'supervisor').action(async () => {
    const loaded = loadOrReport(command, 'supervisor', context);
    if (loaded === undefined) return;
    // Imported here: `--help` and the small commands need none of it.
    const { runSupervisor } = await import('../primary/supervisor.js');
    const reload = () => loadFromCommand(command, 'supervisor', context);
    context.finish(await runSupervisor({ loaded, reload }));
  });
};
