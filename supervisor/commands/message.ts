import type { RegisterCommand } from './kit/command.js';
import { registerMessageCancel } from './message/cancel.js';
import { registerMessageErase } from './message/erase.js';
import { registerMessageRetry } from './message/retry.js';

export const registerMessage: RegisterCommand = (program, context) => {
  const message = program
    .command('message')
    .description('find messages, try them now, take them out; works on Redis, also without a supervisor')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker message retry --all --yes\n');
  for (const register of [registerMessageRetry, registerMessageCancel, registerMessageErase]) {
    register(message, context);
  }
};
