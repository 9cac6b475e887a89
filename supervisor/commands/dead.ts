import { registerExport } from './dead/export.js';
import { registerImport } from './dead/import.js';
import { registerList } from './dead/list.js';
import { registerPurge } from './dead/purge.js';
import { registerReplay } from './dead/replay.js';
import { registerShow } from './dead/show.js';
import type { RegisterCommand } from './kit/command.js';

const COMMANDS = [registerList, registerShow, registerReplay, registerPurge, registerExport, registerImport];

export const registerDead: RegisterCommand = (program, context) => {
  const dead = program
    .command('dead')
    .description(
      'look at dead letters, deliver them again, delete them, keep them in a file; works on Redis, also without a supervisor',
    )
    .addHelpText('after', '\nExample:\n  $ message-broker-worker dead list --reason max_attempts_exceeded\n');
  for (const register of COMMANDS) register(dead, context);
};
