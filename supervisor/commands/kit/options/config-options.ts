import { realpathSync } from 'node:fs';
import { Option, type Command } from 'commander';

import { loadConfig, type LoadedConfig, type LoadOptions } from '../../../../src/shared/config/load.js';
import { flagFor, type Role } from '../../../../src/shared/config/settings/setting.js';
import { CONFIG_FILE, SETTINGS } from '../../../../src/shared/config/settings/settings.js';
import { ConfigError, EXIT_CONFIG } from '../../../../src/shared/errors.js';
import { SCHEMA_VERSION, type Origin } from '../../../admin/protocol.js';
import type { CommandContext } from '../command.js';

/** Flags that speak of the supervisor, which a worker alone does not have. */
const SUPERVISOR_ONLY = /^(worker\.count|supervisor\..*)$/;

/** Gives the command the flags of the settings table and `--config`. */
export function addConfigOptions(command: Command, role: Role): Command {
  command.addOption(new Option(`--${CONFIG_FILE.flag} <file>`, `${CONFIG_FILE.prose} (${CONFIG_FILE.env})`));
  for (const setting of SETTINGS) {
    const flag = flagFor(setting, role);
    if (flag === undefined || (role === 'worker' && SUPERVISOR_ONLY.test(setting.path))) continue;
    const fallback = setting.default === '' ? '' : `, default ${setting.default}`;
    const placeholder = setting.unit ?? 'value';
    command.addOption(new Option(`--${flag} <${placeholder}>`, `${setting.prose} (${setting.env}${fallback})`));
  }
  return command;
}

/** The settings' flags that the command was given, and the file that `--config` names. */
export function givenTo(command: Command, role: Role): Pick<LoadOptions, 'flags' | 'argvConfig'> {
  const options: Record<string, unknown> = command.opts();
  const flags: Record<string, string> = {};
  for (const option of command.options) {
    const text = options[option.attributeName()];
    const isSetting = SETTINGS.some((setting) => option.long === `--${flagFor(setting, role)}`);
    if (isSetting && typeof text === 'string') flags[option.name()] = text;
  }
  const argvConfig = options[CONFIG_FILE.flag];
  return { flags, argvConfig: typeof argvConfig === 'string' ? argvConfig : undefined };
}

/** Loads with the flags given to the command. Throws ConfigError. */
export function loadFromCommand(command: Command, role: Role, { env, cwd }: CommandContext): LoadedConfig {
  return loadConfig({ ...givenTo(command, role), env, cwd, role });
}

/** What a command that is given elsewhere has to know, to load what this one has loaded. */
export function originOf(command: Command, { cwd }: CommandContext, { environment }: LoadedConfig): Origin {
  const { flags, argvConfig } = givenTo(command, 'supervisor');
  return {
    schema_version: SCHEMA_VERSION,
    directory: realpathSync(cwd),
    flags,
    environment,
    config: argvConfig ?? null,
  };
}

/** Loads, or prints each problem as a line and ends the command with the exit code for a bad configuration. */
export function loadOrReport(command: Command, role: Role, context: CommandContext): LoadedConfig | undefined {
  try {
    return loadFromCommand(command, role, context);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) context.printError(`ERROR: ${problem}`);
    context.finish(EXIT_CONFIG);
    return undefined;
  }
}
