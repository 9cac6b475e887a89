import { Command, CommanderError } from 'commander';

import { packageVersion } from '../src/shared/config/package-root.js';
import type { CommandContext, RegisterCommand } from './commands/command.js';
import { registerStart } from './commands/start.js';
import { registerWorker } from './commands/worker.js';

/** All commands, in the order of the help page. */
const COMMANDS: readonly RegisterCommand[] = [registerStart, registerWorker];

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

const AFTER_HELP = `
Examples:
  $ message-broker-worker start --num-workers 3 --concurrency 4
  $ message-broker-worker start --config /etc/message-broker/worker.yaml
  $ message-broker-worker worker --worker-id worker-1 --metrics-port 9100

Exit codes:
  0   done; after a signal: everything drained
  1   failure
  2   wrong usage: unknown command or option
  78  the configuration cannot be used; each problem is one line on stderr
`;

/** Runs one command line and resolves to its exit code. `argv` is without the program and its script. */
export async function runProgram(argv: readonly string[], context: Omit<CommandContext, 'finish'>): Promise<number> {
  let exitCode = 0;
  const finish = (code: number): void => {
    exitCode = code;
  };
  try {
    await program({ ...context, finish }).parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    context.printError(`ERROR: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_FAILURE;
  }
}

function program(context: CommandContext): Command {
  const root = new Command('message-broker-worker')
    .description('Takes messages from a Redis list and has the main server deliver each one over mutual TLS.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', AFTER_HELP)
    .configureOutput({
      writeOut: (text) => context.print(text.trimEnd()),
      writeErr: (text) => context.printError(text.trimEnd()),
    })
    // Before the commands are added: they inherit it. Commander would exit with 1 for wrong usage by itself.
    .exitOverride();
  for (const register of COMMANDS) register(root, context);
  return root;
}
