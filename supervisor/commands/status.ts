import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { completed } from '../status/documents/earlier-status.js';
import type { StatusDocument } from '../status/status-document.js';
import { printJson, usageError, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, SUPERVISOR_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { addSupervisorOptions, withSupervisor } from './kit/options/supervisor-options.js';
import { isColoured, isScreen } from './status/colour.js';
import { cut, painted } from './status/drawing/line.js';
import { EVERYTHING, overview, statusText, type Room } from './status/overview.js';
import { watchStatus } from './status/watch/watch.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'shown, whatever the state'],
  [EXIT_FAILURE, 'what answers is no supervisor, or belongs to another user'],
  ...SUPERVISOR_EXIT_CODES,
];

export const registerStatus: RegisterCommand = (program, context) => {
  const command = program
    .command('status')
    .description('show the supervisor, its workers and the queue')
    .option('--watch', 'go on showing it, once a second, until q or Ctrl-C; ? shows the keys')
    .option('--json', 'print the whole document')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker status --watch\n');
  addSupervisorOptions(command).action(async ({ watch, json }: { watch?: true; json?: true }) => {
    if (watch && json) throw usageError('--watch and --json exclude each other.');
    await withSupervisor(command, context, async (client) => {
      if (watch) return watchStatus(client, context);
      const status = await client.ask('status');
      if (json) printJson(context, status);
      else print(context, completed(status));
    });
  });
  addExitCodes(command, EXIT_CODES);
};

/** On a screen as much as fits it beside the prompt; elsewhere everything. */
function print(context: CommandContext, status: StatusDocument): void {
  const { stdout } = context.streams;
  if (!isScreen(context)) {
    for (const text of statusText(status, systemClock.wallNow())) context.print(text);
    return;
  }
  const room = roomOf(stdout);
  const lines = overview(status, room, { now: systemClock.wallNow() });
  const inColour = isColoured(context);
  for (const line of lines) stdout.write(`${painted(cut(line, room.columns), inColour)}\n`);
}

function roomOf({ columns, rows }: NodeJS.WriteStream): Room {
  return columns > 0 && rows > 1 ? { columns, rows: rows - 1 } : EVERYTHING;
}
