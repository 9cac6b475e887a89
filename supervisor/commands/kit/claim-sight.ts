import type { Command } from 'commander';

import type { AskClaims } from '../../admin/documents/claims.js';
import type { CommandContext } from './command.js';
import { withSupervisor } from './options/supervisor-options.js';

/** Asks the supervisor of this host, if there is one that answers: the commands that need it work without it as well. */
export function claimSight(command: Command, context: CommandContext): AskClaims {
  return async () => {
    try {
      return await withSupervisor(command, context, async (client) => (await client.ask('claims')).workers);
    } catch {
      return [];
    }
  };
}
