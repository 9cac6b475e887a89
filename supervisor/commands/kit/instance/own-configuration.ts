/** Whether a command has a configuration of its own: then it looks for no running instance. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';

import { readEnvFile, SETTING_VARIABLES, variable } from '../../../../src/shared/config/layers/environment.js';
import { USUAL_PLACES } from '../../../../src/shared/config/layers/config-file.js';
import type { CommandContext } from '../command.js';
import { givenTo } from '../options/config-options.js';

/** They say nothing of which queue is meant: other programs set them, too, or they are a key to another host's supervisor. */
const SAYS_NOTHING = /^(LOG_.*|SUPERVISOR_ADMIN_TOKEN(_FILE)?)$/;
const PORT_FLAG = 'supervisor-port';

/** Flags and variables. */
export function isTold(command: Command, { env }: Pick<CommandContext, 'env'>): boolean {
  const { flags, argvConfig } = givenTo(command, 'supervisor');
  const isFlagged = argvConfig !== undefined || Object.keys(flags).some((flag) => flag !== PORT_FLAG);
  return isFlagged || hasSettings(env);
}

/** In this folder. A `.env` that speaks of other programs only is none. */
export function hasFiles(cwd: string): boolean {
  if (USUAL_PLACES.some((place) => existsSync(join(cwd, place)))) return true;
  const ignored = { problems: [], warnings: [] };
  const file = readEnvFile(cwd, ignored);
  return file === undefined ? ignored.problems.length > 0 : hasSettings(file.variables);
}

function hasSettings(variables: Readonly<Record<string, string | undefined>>): boolean {
  return SETTING_VARIABLES.some((name) => !SAYS_NOTHING.test(name) && variable(variables, name) !== undefined);
}
