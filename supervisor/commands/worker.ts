import { EXIT_CONFIG, EXIT_FAILURE } from '../../src/shared/errors.js';
import type { RegisterCommand } from './kit/command.js';
import { addConfigOptions, loadOrReport } from './kit/options/config-options.js';
import { addExitCodes, EXIT_DONE, USAGE, type ExitCode } from './kit/exit-codes.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'stopped by a signal, everything settled or handed back'],
  [EXIT_FAILURE, 'it could not start, or a bug ended it'],
  USAGE,
  [EXIT_CONFIG, 'configuration, certificates or Redis cannot be used; a restart does not mend it'],
];

export const registerWorker: RegisterCommand = (program, context) => {
  const command = program
    .command('worker')
    .description('run one worker in this process, without a supervisor')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker worker --worker-id worker-1 --metrics-port 9100\n');
  addConfigOptions(command, 'worker').action(async () => {
    const loaded = loadOrReport(command, 'worker', context);
    if (loaded === undefined) return;
    const { runStandaloneWorker } = await import('../../src/worker/standalone-worker.js');
    context.finish(await runStandaloneWorker(loaded));
  });
  addExitCodes(command, EXIT_CODES);
};
