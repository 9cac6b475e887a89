import { Option, type Command } from 'commander';

import { withOperatorQueue, type OperatorQueue } from '../../../../src/queue/operator-queue.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import type { Config } from '../../../../src/shared/config/config.js';
import { flagFor } from '../../../../src/shared/config/settings/setting.js';
import { SETTINGS } from '../../../../src/shared/config/settings/settings.js';
import type { CommandContext } from '../command.js';
import { addInstanceOptions } from '../instance/instance-options.js';
import { loadLocated, noteDefaults } from '../instance/load-located.js';

/** Flags of the commands that work on Redis itself, whether a supervisor runs or not. */
export function addQueueOptions(command: Command): Command {
  command.addOption(new Option('--config <file>', 'Configuration file (WORKER_CONFIG)'));
  for (const setting of SETTINGS) {
    const flag = flagFor(setting, 'supervisor');
    if (flag === undefined || !/^(redis|queue)\./.test(setting.path)) continue;
    command.addOption(new Option(`--${flag} <value>`, `${setting.prose} (${setting.env})`));
  }
  return addInstanceOptions(command);
}

const noted = new WeakSet<Command>();

/** Rejects with ConfigError, with RedisUnavailableError, and with whatever `use` rejects with. */
export async function withQueue<T>(
  command: Command,
  context: CommandContext,
  use: (queue: OperatorQueue, config: Config) => Promise<T>,
): Promise<T> {
  const located = await loadLocated(command, context);
  if (!noted.has(command)) noteDefaults(located, context);
  noted.add(command);
  const { config } = located.loaded;
  return withOperatorQueue(config, systemClock, (queue) => use(queue, config));
}
