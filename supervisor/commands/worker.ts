import type { RegisterCommand } from './kit/command.js';
import { addConfigOptions, loadOrReport } from './kit/config-options.js';

export const registerWorker: RegisterCommand = (program, context) => {
  const command = program.command('worker').description('run one worker in this process, without a supervisor');
  addConfigOptions(command, 'worker').action(async () => {
    const loaded = loadOrReport(command, 'worker', context);
    if (loaded === undefined) return;
    const { runStandaloneWorker } = await import('../../src/worker/standalone-worker.js');
    context.finish(await runStandaloneWorker(loaded));
  });
};
