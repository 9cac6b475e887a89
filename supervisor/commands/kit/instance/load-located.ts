/** Loads the configuration of the installation that a command means (locate.ts). */
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';

import { loadConfig, type LoadedConfig } from '../../../../src/shared/config/load.js';
import { ConfigError, EXIT_FAILURE } from '../../../../src/shared/errors.js';
import type { ControlAddress } from '../../../admin/client.js';
import { ControlError } from '../../../admin/client-errors.js';
import type { Origin } from '../../../admin/protocol.js';
import { controlSocketPath } from '../../../admin/socket-path.js';
import type { FoundInstance } from '../../../instances/find.js';
import { CommandError, type CommandContext } from '../command.js';
import { givenTo } from '../options/config-options.js';
import { asOwner } from './as-owner.js';
import { enter, locate, type Location } from './locate.js';

export interface Located {
  readonly location: Location;
  readonly loaded: LoadedConfig;
  /** The folder that its relative paths mean. */
  readonly cwd: string;
  /** Where its supervisor answers, if it runs. */
  readonly address: Extract<ControlAddress, { readonly socketPath: string }>;
}

/** A running supervisor does not say what it was started with: it hangs, or is of another version. */
class UnansweredError extends CommandError {
  constructor(
    readonly why: string,
    cause: Error,
  ) {
    const advice = 'Run this in its folder, or name its --config.';
    super(EXIT_FAILURE, `It cannot be asked for its settings: ${why} ${advice}`, { cause });
  }
}

/** Rejects with CommandError and with ConfigError. */
export async function loadLocated(command: Command, context: CommandContext): Promise<Located> {
  const location = locate(command, context, 'work');
  if (location.kind === 'instance') {
    try {
      return await loadOfInstance(command, location, context.cwd);
    } catch (error) {
      if (!location.isOwn || !(error instanceof UnansweredError)) throw error;
      context.printError(
        `Note: the supervisor of this folder cannot be asked for its settings (${error.why}); its files are read.`,
      );
    }
  }
  const cwd = location.kind === 'folder' ? location.cwd : context.cwd;
  const loaded = loadConfig({ ...givenTo(command, 'supervisor'), env: context.env, cwd });
  return { location, loaded, cwd, address: { socketPath: controlSocketPath(loaded.config.supervisor) } };
}

/** As that supervisor would load it now: with its environment and flags, below those of this command. */
async function loadOfInstance(
  command: Command,
  location: Extract<Location, { readonly kind: 'instance' }>,
  cwd: string,
): Promise<Located> {
  const { instance } = location;
  const { directory, socket, owner } = instance;
  const origin = await originOf(instance);
  const given = givenTo(command, 'supervisor');
  enter(directory);
  const env = process.platform === 'win32' ? {} : { SUPERVISOR_RUNTIME_DIR: dirname(socket) };
  const loaded = asOwner(owner, () =>
    loadConfig({
      flags: { ...origin.flags, ...given.flags },
      env: { ...origin.environment, ...env },
      cwd: directory,
      argvConfig: given.argvConfig === undefined ? (origin.config ?? undefined) : resolve(cwd, given.argvConfig),
    }),
  );
  return { location, loaded, cwd: directory, address: { socketPath: socket, owner } };
}

async function originOf({ socket, owner }: FoundInstance): Promise<Origin> {
  const { createControlClient } = await import('../../../admin/client.js');
  const client = createControlClient({ socketPath: socket, owner });
  try {
    return await client.ask('origin');
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const why = error instanceof ControlError && error.status === 404 ? 'it is of another version' : error.message;
    throw new UnansweredError(why, error);
  } finally {
    client.close();
  }
}

/** Says it where defaults are used that nobody has written. */
export function noteDefaults({ location, loaded }: Located, context: CommandContext): void {
  if (location.kind !== 'nothing') return;
  const { redis, queue } = loaded.config;
  const where = `Redis ${redis.host}:${redis.port}, queue ${queue.name}`;
  context.printError(`Note: ${location.why} What is asked is the default: ${where}.`);
}

/** As `loadLocated`; undefined when what is wrong with it has been handed to `report`. */
export async function loadLocatedOr(
  command: Command,
  context: CommandContext,
  report: (problems: readonly string[]) => void,
): Promise<Located | undefined> {
  try {
    return await loadLocated(command, context);
  } catch (error) {
    if (error instanceof ConfigError) report(error.problems);
    else if (error instanceof UnansweredError) report([error.message]);
    else throw error;
    return undefined;
  }
}
