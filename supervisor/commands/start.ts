import { EXIT_CONFIG, EXIT_FAILURE } from '../../src/shared/errors.js';
import type { RegisterCommand } from './kit/command.js';
import { addConfigOptions, loadFromCommand, loadOrReport, originOf } from './kit/options/config-options.js';
import { addExitCodes, EXIT_DONE, USAGE, type ExitCode } from './kit/exit-codes.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'stopped by a signal or by stop, everything settled or handed back'],
  [EXIT_FAILURE, 'a worker had to be killed at the stop, none could be started, or another supervisor runs'],
  USAGE,
  [EXIT_CONFIG, 'configuration, certificates, runtime directory or Redis cannot be used; a restart does not mend it'],
];

export const registerStart: RegisterCommand = (program, context) => {
  const command = program
    .command('start')
    .description('start the supervisor with its workers and stay in the foreground')
    .addHelpText(
      'after',
      '\nWhile it runs there is a dashboard on http://SUPERVISOR_HOST:SUPERVISOR_PORT/ for a browser.\n\nExample:\n  $ message-broker-worker start --num-workers 3 --concurrency 4\n',
    );
  addConfigOptions(command, 'supervisor').action(async () => {
    const loaded = loadOrReport(command, 'supervisor', context);
    if (loaded === undefined) return;
    // Imported here: `--help` and the small commands need none of it. In steps, as in src/main.ts.
    await import('../../src/shared/logger/logger.js');
    const { runSupervisor } = await import('../primary/supervisor.js');
    const reload = () => loadFromCommand(command, 'supervisor', context);
    context.finish(await runSupervisor({ loaded, reload, origin: originOf(command, context, loaded) }));
  });
  addExitCodes(command, EXIT_CODES);
};
