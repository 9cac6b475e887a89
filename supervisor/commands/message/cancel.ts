import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import type { RegisterCommand } from '../kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { addActionOptions, runAction, type ActionOptions } from './run.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'done, also when none matched'],
  [
    EXIT_FAILURE,
    'an id is claimed or nowhere, it was interrupted, or Redis cannot be reached; what was done stays done',
  ],
  ...QUEUE_EXIT_CODES,
];

const CANCEL = {
  kind: 'cancel',
  all: 'cancel every message that waits, for a worker or for its retry',
  done: 'cancelled',
  places: ['waiting', 'retry'],
  elsewhere: ['in_flight', 'dead'],
} as const;

export const registerMessageCancel: RegisterCommand = (message, context) => {
  const command = message
    .command('cancel')
    .description('take messages out of the queue and the retries: to the dead letters, with the reason "cancelled"');
  addActionOptions(command, CANCEL).action((ids: readonly string[], options: ActionOptions) =>
    runAction(command, context, CANCEL, { ids, options }),
  );
  addExitCodes(command, EXIT_CODES);
};
