import { isUnfiltered } from '../../../src/domain/filter/message-filter.js';
import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { usageError, type RegisterCommand } from '../kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { filterOf } from '../kit/filter-options.js';
import { addRunOptions, runOnLetters, type RunOptions } from './run.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'done, also when none matched'],
  [EXIT_FAILURE, 'Redis cannot be reached; what was deleted before is deleted'],
  ...QUEUE_EXIT_CODES,
];

interface PurgeOptions extends RunOptions {
  readonly all?: true;
}

export const registerPurge: RegisterCommand = (dead, context) => {
  const command = dead
    .command('purge')
    .description('delete them for good')
    .option('--all', 'without a filter: really all of them');
  addRunOptions(command).action(async (options: PurgeOptions) => {
    if (isUnfiltered(filterOf(options)) && !options.all && !options.dryRun) {
      throw usageError('This would delete every dead letter; give a filter, or --all.');
    }
    await runOnLetters(command, context, { kind: 'purge', done: 'deleted', options });
  });
  addExitCodes(command, EXIT_CODES);
};
