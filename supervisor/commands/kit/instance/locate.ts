/**
 * Which installation a command means:
 *
 *   told      its flags, the environment or the files of this folder say so, as ever
 *   instance  --instance or --directory choose a running one; else the one that runs in this folder, if its files mean it
 *             (`isOwn`); else, where this folder has no configuration, the only one that runs
 *   folder    --directory names a folder where none runs
 *   nothing   none of it: the defaults are all there is, and whoever uses them says so
 *
 * Another user's, which root may use, is asked without being named, but no command works on its Redis unnamed: whose Redis
 * that is, that user has chosen.
 */
import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';

import { loadConfig } from '../../../../src/shared/config/load.js';
import { ConfigError, EXIT_FAILURE } from '../../../../src/shared/errors.js';
import { controlSocketPath } from '../../../admin/socket-path.js';
import { choose, chooseAnywhere, chooseHere } from '../../../instances/choose.js';
import { findInstances, type FoundInstance, type Sight } from '../../../instances/find.js';
import { CommandError, usageError, type CommandContext } from '../command.js';
import { EXIT_NO_SUPERVISOR, EXIT_USAGE } from '../exit-codes.js';
import { givenTo } from '../options/config-options.js';
import { wantedBy } from './instance-options.js';
import { hasFiles, isTold } from './own-configuration.js';
import { instanceLine, othersOnlyText, othersText, severalText } from './words.js';

export type Location =
  | { readonly kind: 'told' }
  | { readonly kind: 'folder'; readonly cwd: string }
  | { readonly kind: 'instance'; readonly instance: FoundInstance; readonly isOwn: boolean }
  | { readonly kind: 'nothing'; readonly why: string; readonly isRefused: boolean };

/** What the command does with it: asks the supervisor, or works on its Redis. */
type Purpose = 'ask' | 'work';

const known = new WeakMap<Command, Location>();

/** Looks once for each command, and says on stderr which instance it has found elsewhere. @throws CommandError */
export function locate(command: Command, context: CommandContext, purpose: Purpose): Location {
  const before = known.get(command);
  if (before) return before;
  const location = look(command, context, purpose);
  known.set(command, location);
  if (location.kind === 'instance' && location.instance.directory !== real(context.cwd)) {
    context.printError(`Note: ${instanceLine(location.instance)}`);
  }
  return location;
}

function look(command: Command, context: CommandContext, purpose: Purpose): Location {
  const { instance, directory, port } = wantedBy(command);
  if (instance !== undefined || directory !== undefined) return chosen(command, context, purpose);
  if (isTold(command, context)) return { kind: 'told' };
  const sight = findInstances(context.env);
  const here = chooseHere(sight.instances, port, context.cwd, real);
  if (hasFiles(context.cwd)) {
    const isMeant = here.kind === 'instance' && here.instance.socket === socketOfFiles(command, context);
    return isMeant ? { ...here, isOwn: true } : { kind: 'told' };
  }
  if (here.kind === 'instance') return { ...here, isOwn: false };
  if (here.kind === 'several') throw usageError(severalText(here.instances));
  return anywhere(sight, context, { port, purpose });
}

function anywhere(
  sight: Sight,
  context: CommandContext,
  { port, purpose }: { readonly port: string | undefined; readonly purpose: Purpose },
): Location {
  const found = chooseAnywhere(sight.instances, port);
  if (found.kind === 'several') throw usageError(severalText(found.instances));
  if (found.kind === 'instance') {
    if (found.isOthers && purpose === 'work') throw usageError(othersOnlyText(found.instance));
    return { ...found, isOwn: false };
  }
  // the port may be that of a supervisor which has left no file: it is asked at its usual place
  return port === undefined ? nothing(sight, context) : { kind: 'told' };
}

/** Where the supervisor would answer that the files of this folder describe; undefined when they cannot be used. */
function socketOfFiles(command: Command, { env, cwd }: CommandContext): string | undefined {
  try {
    return controlSocketPath(loadConfig({ ...givenTo(command, 'supervisor'), env, cwd }).config.supervisor);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return undefined;
  }
}

function chosen(command: Command, context: CommandContext, purpose: Purpose): Location {
  const wanted = wantedBy(command);
  const sight = findInstances(context.env);
  const found = choose(sight.instances, wanted, context.cwd, real);
  if (found.kind === 'instance') return { ...found, isOwn: false };
  if (found.kind === 'several') throw usageError(severalText(found.instances));
  if (wanted.instance !== undefined) {
    const where = wanted.directory === undefined ? '' : ` in ${wanted.directory}`;
    const others = sight.instances.map((other) => `\n  ${instanceLine(other)}`).join('');
    const rest = others === '' ? othersText(sight) : ` There run:${others}`;
    const code = purpose === 'ask' ? EXIT_NO_SUPERVISOR : EXIT_USAGE;
    throw new CommandError(code, `No supervisor of port ${wanted.instance} runs${where}.${rest}`);
  }
  const cwd = resolve(context.cwd, wanted.directory ?? '.');
  if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) {
    throw usageError(`--directory ${wanted.directory} is no folder.`);
  }
  enter(cwd);
  return { kind: 'folder', cwd };
}

function nothing(sight: Sight, { cwd }: CommandContext): Location {
  const why = `There is no configuration in ${cwd} (no .env, no config/config.yaml), and no supervisor of yours is running.`;
  return {
    kind: 'nothing',
    why: `${why}${othersText(sight)}`,
    isRefused: sight.refusals.length > 0,
  };
}

/** Relative paths of a configuration mean the folder that it belongs to; those of the command line have been read. */
export function enter(folder: string): void {
  try {
    process.chdir(folder);
  } catch (error) {
    throw new CommandError(EXIT_FAILURE, `${folder} cannot be entered: ${String(error)}.`, { cause: error });
  }
}

function real(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
