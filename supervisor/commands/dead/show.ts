import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { printable } from '../../../src/shared/words/escape.js';
import { failureText } from '../kit/failure-text.js';
import { detailsOf } from '../../admin/documents/dead-letters.js';
import { CommandError, printJson, type RegisterCommand } from '../kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { addQueueOptions, withQueue } from '../kit/options/queue-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'shown'],
  [EXIT_FAILURE, 'there is no such letter, or Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];

export const registerShow: RegisterCommand = (dead, context) => {
  const command = dead
    .command('show')
    .argument('<letter>', 'its number or key, as "dead list" shows them, or its message id')
    .description('show one with its message')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker dead show 1\n');
  addQueueOptions(command).action(async (letter: string, { json }: { json?: true }) => {
    const entry = await withQueue(command, context, ({ deadLetters }) => deadLetters.find(letter, { whole: true }));
    if (!entry)
      throw new CommandError(
        EXIT_FAILURE,
        'There is no dead letter of this number, key or message id; see "dead list".',
      );
    const details = detailsOf(entry, Infinity);
    if (json) return printJson(context, details);
    const { failures, ...others } = details;
    const fields = Object.entries(others).filter(([name]) => name !== 'last_failure');
    const width = Math.max(...fields.map(([name]) => name.length));
    for (const [name, value] of fields) {
      context.print(`${name.padEnd(width)}  ${printable(typeof value === 'object' ? '-' : String(value), Infinity)}`);
    }
    for (const failure of failures) context.print(`${'failed'.padEnd(width)}  ${failureText(failure)}`);
  });
  addExitCodes(command, EXIT_CODES);
};
