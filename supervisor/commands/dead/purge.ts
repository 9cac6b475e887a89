import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import type { RegisterCommand } from '../kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { addRunOptions, runOnLetters, type RunOptions } from './run.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'done, also when none matched'],
  [EXIT_FAILURE, 'it was not wanted or interrupted, or Redis cannot be reached; what was deleted before is deleted'],
  ...QUEUE_EXIT_CODES,
];

export const registerPurge: RegisterCommand = (dead, context) => {
  const command = dead.command('purge').description('delete them for good');
  addRunOptions(command).action(async (options: RunOptions) => {
    await runOnLetters(command, context, { kind: 'purge', done: 'deleted', all: 'delete every dead letter', options });
  });
  addExitCodes(command, EXIT_CODES);
};
