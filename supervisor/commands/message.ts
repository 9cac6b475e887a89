import type { RegisterCommand } from './kit/command.js';
import { registerMessageCancel } from './message/cancel.js';
import { registerMessageErase } from './message/erase.js';
import { registerMessageList } from './message/list.js';
import { registerMessageRetry } from './message/retry.js';
import { registerMessageShow } from './message/show.js';

const COMMANDS: readonly RegisterCommand[] = [
  registerMessageShow,
  registerMessageList,
  registerMessageRetry,
  registerMessageCancel,
  registerMessageErase,
];

export const registerMessage: RegisterCommand = (program, context) => {
  const message = program
    .command('message')
    .description('find messages, try them now, take them out; works on Redis, also without a supervisor')
    .addHelpText(
      'after',
      '\nExamples:\n  $ message-broker-worker message show 7d0f2a64\n  $ message-broker-worker message retry --all --yes\n',
    );
  for (const register of COMMANDS) register(message, context);
};
