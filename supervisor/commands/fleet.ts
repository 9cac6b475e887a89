import { FleetWatch } from '../../src/domain/fleet/fleet-watch.js';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { fleetDocument } from '../admin/documents/fleet.js';
import { fleetLines } from './fleet/text.js';
import { printJson, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { addQueueOptions, withQueue } from './kit/options/queue-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'shown, whoever is there'],
  [EXIT_FAILURE, 'Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];

export const registerFleet: RegisterCommand = (program, context) => {
  const command = program
    .command('fleet')
    .description('show the supervisors of all hosts on this queue: state, workers, rates, version, last seen')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nWho stopped, or has not been heard of for 15 s, is shown for a day. Example:\n  $ message-broker-worker fleet\n',
    );
  addQueueOptions(command).action(async ({ json }: { readonly json?: true }) => {
    const document = await withQueue(command, context, async (queue, { queue: { name } }) =>
      fleetDocument(new FleetWatch().look(await queue.fleet(), systemClock.now()), name),
    );
    if (json) return printJson(context, document);
    for (const line of fleetLines(document)) context.print(line);
  });
  addExitCodes(command, EXIT_CODES);
};
