import { Command, CommanderError } from 'commander';

import { packageVersion } from '../src/shared/config/package-root.js';
import { ConfigError, EXIT_CONFIG, EXIT_FAILURE, reasonOf } from '../src/shared/errors.js';
import { harmless } from '../src/shared/words/escape.js';
import { registerAudit } from './commands/audit.js';
import { registerCerts } from './commands/certs.js';
import { registerCheck } from './commands/check.js';
import { registerCompletion } from './commands/completion.js';
import { registerDead } from './commands/dead.js';
import { registerFailures } from './commands/failures.js';
import { CommandError, type CommandContext, type RegisterCommand } from './commands/kit/command.js';
import { wrapped } from './commands/status/drawing/wrap.js';
import {
  addExitCodes,
  EXIT_DONE,
  EXIT_NO_SUPERVISOR,
  EXIT_USAGE,
  HELP_COLUMNS,
  type ExitCode,
} from './commands/kit/exit-codes.js';
import { registerFleet } from './commands/fleet.js';
import { registerHistory } from './commands/history.js';
import { registerMessage } from './commands/message.js';
import { registerPause } from './commands/pause.js';
import { registerReload } from './commands/reload.js';
import { registerRestart } from './commands/restart.js';
import { registerResume } from './commands/resume.js';
import { registerRollback } from './commands/rollback.js';
import { registerScale } from './commands/scale.js';
import { registerSend } from './commands/send.js';
import { registerStart } from './commands/start.js';
import { registerStatus } from './commands/status.js';
import { registerStop } from './commands/stop.js';
import { registerWorker } from './commands/worker.js';

/** All commands, in the order of the help page. */
const COMMANDS: readonly RegisterCommand[] = [
  registerStart,
  registerWorker,
  registerStatus,
  registerReload,
  registerScale,
  registerRestart,
  registerStop,
  registerPause,
  registerResume,
  registerCheck,
  registerMessage,
  registerDead,
  registerAudit,
  registerHistory,
  registerFleet,
  registerFailures,
  registerSend,
  registerCerts,
  registerRollback,
  registerCompletion,
];

/** Of all commands together. */
const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'done; after a signal: everything drained'],
  [EXIT_FAILURE, 'failure'],
  [EXIT_USAGE, 'wrong usage: unknown command or option'],
  [EXIT_NO_SUPERVISOR, 'no supervisor is running'],
  [EXIT_CONFIG, 'the configuration cannot be used; each problem is one line on stderr'],
];

const EXAMPLES = `
Examples:
  $ message-broker-worker start --num-workers 3 --concurrency 4
  $ message-broker-worker start --config /etc/message-broker/worker.yaml
  $ message-broker-worker status --watch
  $ message-broker-worker check
  $ message-broker-worker message show 7d0f2a64-5a1b-4c55-9a39-0f5b6c1e2d3f
  $ message-broker-worker failures --by client
  $ message-broker-worker message retry --client client-7 --dry-run
  $ message-broker-worker dead list --reason malformed
  $ message-broker-worker pause --for 10m --reason "new main server"
  $ message-broker-worker audit --limit 10
  $ message-broker-worker worker --worker-id worker-1 --metrics-port 9100
`;

/** Runs one command line and resolves to its exit code. `argv` is without the program and its script. */
export async function runProgram(
  argv: readonly string[],
  surroundings: Omit<CommandContext, 'finish' | 'streams'> & Partial<Pick<CommandContext, 'streams'>>,
): Promise<number> {
  let exitCode = EXIT_DONE;
  // whatever stands in an id, an error or an answer: no text of ours drives the terminal
  const context = {
    ...surroundings,
    print: (line: string) => surroundings.print(harmless(line)),
    printError: (line: string) => surroundings.printError(harmless(line)),
  };
  const finish = (code: number): void => {
    exitCode = code;
  };
  try {
    await program({ streams: process, ...context, finish }).parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_DONE : EXIT_USAGE;
    const problems = error instanceof ConfigError ? error.problems : [reasonOf(error)];
    for (const problem of problems) context.printError(`ERROR: ${problem}`);
    if (error instanceof ConfigError) return EXIT_CONFIG;
    return error instanceof CommandError ? error.exitCode : EXIT_FAILURE;
  }
}

/** Sentences of a help; what is set in has its columns, or is an example to be copied. */
function folded(help: string): string {
  return help
    .split('\n')
    .flatMap((text) => (text.length > HELP_COLUMNS && !text.startsWith(' ') ? wrapped(text, HELP_COLUMNS) : [text]))
    .join('\n');
}

function program(context: CommandContext): Command {
  const root = new Command('message-broker-worker')
    .description('Takes messages from a Redis list and has the main server deliver each one over mutual TLS.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', EXAMPLES)
    .configureOutput({
      writeOut: (text) => context.print(folded(text.trimEnd())),
      writeErr: (text) => context.printError(text.trimEnd()),
    })
    // Before the commands are added: they inherit it. Commander would exit with 1 for wrong usage by itself.
    .exitOverride();
  for (const register of COMMANDS) register(root, context);
  return addExitCodes(root, EXIT_CODES).addHelpText('after', 'The help of each command says more of its own.\n');
}
