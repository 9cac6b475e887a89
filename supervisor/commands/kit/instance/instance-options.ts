import { Option, type Command } from 'commander';

import type { Wanted } from '../../../instances/choose.js';

/** Flags of the commands that find the running instance from any folder. */
export function addInstanceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--instance <port>', 'The running supervisor with this SUPERVISOR_PORT, whatever folder this is'),
    )
    .addOption(
      new Option('--directory <folder>', 'The supervisor that runs in this folder, or else its configuration'),
    );
}

/** What they say; `--supervisor-port` means the same where nothing else says which configuration is meant. */
export function wantedBy(command: Command): Wanted & { readonly port?: string | undefined } {
  const { instance, directory, supervisorPort: port } = command.opts<Wanted & { readonly supervisorPort?: string }>();
  return { instance, directory, port };
}
