import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import type { RegisterCommand } from '../kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { addActionOptions, runAction, type ActionOptions } from './run.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'done, also when none matched'],
  [EXIT_FAILURE, 'an id waits for no retry, it was interrupted, or Redis cannot be reached; what was done stays done'],
  ...QUEUE_EXIT_CODES,
];

const RETRY = {
  kind: 'retry',
  all: 'make every retry due',
  done: 'made due',
  places: ['retry'],
  elsewhere: ['in_flight', 'waiting', 'dead'],
} as const;

export const registerMessageRetry: RegisterCommand = (message, context) => {
  const command = message
    .command('retry')
    .description(
      'try failed messages again now, in place of when their retry is due; flow control paces what becomes due',
    );
  addActionOptions(command, RETRY).action((ids: readonly string[], options: ActionOptions) =>
    runAction(command, context, RETRY, { ids, options }),
  );
  addExitCodes(command, EXIT_CODES);
};
