import { Option, type Command } from 'commander';

import { loadConfig } from '../../../../src/shared/config/load.js';
import { ConfigError, EXIT_FAILURE } from '../../../../src/shared/errors.js';
import { controlSocketPath } from '../../../admin/socket-path.js';
import type { ControlAddress, ControlClient } from '../../../admin/client.js';
import { ControlError, NoSupervisorError } from '../../../admin/client-errors.js';
import { CommandError, usageError, type CommandContext } from '../command.js';
import { addInstanceOptions } from '../instance/instance-options.js';
import { locate } from '../instance/locate.js';
import { givenTo } from './config-options.js';
import { EXIT_NO_SUPERVISOR } from '../exit-codes.js';
import { operatorOf } from '../operator.js';

/** Flags of the commands that talk to a running supervisor. */
export function addSupervisorOptions(command: Command): Command {
  return addInstanceOptions(command)
    .addOption(new Option('--config <file>', 'Configuration file (WORKER_CONFIG)'))
    .addOption(new Option('--supervisor-port <value>', 'Which instance, when there are several (SUPERVISOR_PORT)'))
    .addOption(new Option('--socket <path>', 'Its control socket; no configuration is read then'))
    .addOption(new Option('--url <url>', 'Its address on another host; SUPERVISOR_ADMIN_TOKEN holds the token'));
}

/** Runs `use` with a client, and turns what it rejects with into the exit code. */
export async function withSupervisor<T>(
  command: Command,
  context: CommandContext,
  use: (client: ControlClient) => Promise<T>,
): Promise<T> {
  // Imported here: got takes 150 ms to load.
  const { createControlClient } = await import('../../../admin/client.js');
  const client = createControlClient(addressOf(command, context));
  try {
    return await use(client);
  } catch (error) {
    throw withExitCode(error, command, context);
  } finally {
    client.close();
  }
}

function addressOf(command: Command, context: CommandContext): ControlAddress {
  const { socket, url } = command.opts<{ socket?: string; url?: string }>();
  if (socket !== undefined && url !== undefined) throw usageError('--socket and --url exclude each other.');
  if (url !== undefined) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw usageError('--url must be an address such as http://worker-host:9099.');
    }
    return { url, token: context.env['SUPERVISOR_ADMIN_TOKEN'] ?? '' };
  }
  const { who } = operatorOf(context);
  if (socket !== undefined) return { socketPath: socket, who };
  const location = locate(command, context, 'ask');
  if (location.kind === 'instance') {
    return { socketPath: location.instance.socket, owner: location.instance.owner, who };
  }
  if (location.kind === 'nothing' && location.isRefused) throw new CommandError(EXIT_FAILURE, location.why);
  const cwd = location.kind === 'folder' ? location.cwd : context.cwd;
  try {
    const { supervisor } = loadConfig({ ...givenTo(command, 'supervisor'), env: context.env, cwd }).config;
    return { socketPath: controlSocketPath(supervisor), who };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError([...error.problems, 'To ask a running supervisor all the same, name its --socket.']);
  }
}

function withExitCode(error: unknown, command: Command, context: CommandContext): unknown {
  if (error instanceof NoSupervisorError) {
    const { socket, url } = command.opts<{ socket?: string; url?: string }>();
    const location = socket === undefined && url === undefined ? locate(command, context, 'ask') : undefined;
    const why = location?.kind === 'nothing' ? `${location.why} ` : '';
    return new CommandError(EXIT_NO_SUPERVISOR, `${why}${error.message}`, { cause: error });
  }
  if (error instanceof ControlError) return new CommandError(EXIT_FAILURE, error.message, { cause: error });
  return error;
}
