import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { resumeDeliveries } from '../admin/routes/pause.js';
import { pauseOf } from '../status/judgement/queue-concerns.js';
import { printJson, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { noteDeed } from './kit/operator.js';
import { addQueueOptions, withQueue } from './kit/options/queue-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'deliveries go on within a second, or were not paused'],
  [EXIT_FAILURE, 'Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];

export const registerResume: RegisterCommand = (program, context) => {
  const command = program
    .command('resume')
    .description('end a pause of all deliveries, whoever began it')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker resume\n');
  addQueueOptions(command).action(async ({ json }: { json?: true }) => {
    const answer = await withQueue(command, context, (queue) =>
      resumeDeliveries(queue, (act) => noteDeed(queue, context, act)),
    );
    if (json) return printJson(context, answer);
    const { ended } = answer;
    context.print(
      ended
        ? `Deliveries go on within a second.\nBefore this, ${pauseOf(ended).replace('deliveries are', 'they were')}.`
        : 'Deliveries were not paused.',
    );
  });
  addExitCodes(command, EXIT_CODES);
};
