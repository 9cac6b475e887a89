import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { printable } from '../../src/shared/words/escape.js';
import { ControlError } from '../admin/client-errors.js';
import type { ReloadAnswer } from '../admin/protocol.js';
import { printJson, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, SUPERVISOR_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { addSupervisorOptions, withSupervisor } from './kit/options/supervisor-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'all workers have the new configuration'],
  [EXIT_FAILURE, 'the reload failed and the answer says who serves on, or the supervisor is stopping'],
  ...SUPERVISOR_EXIT_CODES,
];

export const registerReload: RegisterCommand = (program, context) => {
  const command = program
    .command('reload')
    .description('read configuration and certificates again and replace the workers one by one; waits for the result')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker reload && echo reloaded\n');
  addSupervisorOptions(command).action(async ({ json }: { json?: true }) => {
    const answer = await withSupervisor(command, context, (client) =>
      client.ask('reload').catch((error: unknown) => failedReload(error)),
    );
    if (json) printJson(context, answer);
    else report(answer, context);
    context.finish(answer.ok ? EXIT_DONE : EXIT_FAILURE);
  });
  addExitCodes(command, EXIT_CODES);
};

/** A reload that failed is an answer; everything else is an error. */
function failedReload(error: unknown): ReloadAnswer {
  if (error instanceof ControlError && isReloadAnswer(error.body)) return error.body;
  throw error;
}

function isReloadAnswer(body: unknown): body is ReloadAnswer {
  return typeof body === 'object' && body !== null && 'ok' in body && 'workers' in body && Array.isArray(body.workers);
}

function report(answer: ReloadAnswer, context: CommandContext): void {
  const { ok, reason, workers, workers_before: before, workers_wanted: wanted, remarks } = answer;
  for (const { id, pid, state, replaced } of workers) {
    const what = replaced
      ? `has a new process (pid ${pid})`
      : pid === null
        ? 'has no process'
        : `kept its process (pid ${pid})`;
    context.print(`${printable(id, 100)} ${what}, ${state}`);
  }
  if (before !== wanted) context.print(`Workers: ${before} → ${wanted}`);
  for (const remark of remarks) context.print(`Note: ${printable(remark, 2_000)}`);
  if (ok) context.print('Reloaded: all workers have the new configuration.');
  else context.printError(`ERROR: The reload failed: ${printable(reason ?? 'no reason given', 2_000)}`);
}
