import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import type { RegisterCommand } from '../kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { addRunOptions, runOnLetters, type RunOptions } from './run.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'done, also when none matched'],
  [EXIT_FAILURE, 'it was not wanted or interrupted, or Redis cannot be reached; what was moved before stays moved'],
  ...QUEUE_EXIT_CODES,
];

export const registerReplay: RegisterCommand = (dead, context) => {
  const command = dead
    .command('replay')
    .description('put them back on the queue, the oldest first, their attempts counted from 0 again');
  addRunOptions(command).action(async (options: RunOptions) => {
    const words = { done: 'put back on the queue', all: 'deliver every dead letter again' };
    const result = await runOnLetters(command, context, { kind: 'replay', ...words, options });
    if (!result || options.json || result.unreadable === 0) return;
    context.print(
      `${result.unreadable} stay: they are no envelopes of ours, what to deliver cannot be told ("dead show").`,
    );
  });
  addExitCodes(command, EXIT_CODES);
};
