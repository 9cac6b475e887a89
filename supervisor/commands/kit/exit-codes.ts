import type { Command } from 'commander';

import { EXIT_CONFIG } from '../../../src/shared/errors.js';
import { wrapped } from '../status/drawing/wrap.js';

/** Beside EXIT_FAILURE and EXIT_CONFIG (src/shared/errors.ts). */
export const EXIT_DONE = 0;
export const EXIT_USAGE = 2;
export const EXIT_NO_SUPERVISOR = 3;

/** A code, and what it means after this command. */
export type ExitCode = readonly [code: number, meaning: string];

export const USAGE: ExitCode = [EXIT_USAGE, 'wrong usage: unknown option, or a value that cannot be'];
/** Of the commands that find the running instance. */
export const WHICH: ExitCode = [
  EXIT_USAGE,
  'wrong usage; or several supervisors run here and none is named by --instance or --directory',
];
const CONFIG: ExitCode = [EXIT_CONFIG, 'the configuration cannot be used'];

/** Of the commands that work on Redis itself, beside what their own work ends with. */
export const QUEUE_EXIT_CODES: readonly ExitCode[] = [WHICH, CONFIG];
/** Of the commands that talk to a running supervisor. */
export const SUPERVISOR_EXIT_CODES: readonly ExitCode[] = [
  WHICH,
  [EXIT_NO_SUPERVISOR, 'no supervisor is running'],
  CONFIG,
];

/** As commander folds what it writes itself, where it does not know the terminal. */
export const HELP_COLUMNS = 80;
const MARGIN = ' '.repeat(6);

/** Puts them at the end of the command's help. */
export function addExitCodes(command: Command, codes: readonly ExitCode[]): Command {
  const lines = codes.map(
    ([code, meaning]) =>
      `  ${String(code).padEnd(3)} ${wrapped(meaning, HELP_COLUMNS - MARGIN.length).join(`\n${MARGIN}`)}`,
  );
  return command.addHelpText('after', `\nExit codes:\n${lines.join('\n')}\n`);
}
