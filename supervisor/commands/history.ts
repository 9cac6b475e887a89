import { HISTORY_UNITS, type HistoryUnit } from '../../src/domain/history/book.js';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { DEFAULT_DAYS, readHistoryDocument, mostDays, unitFor } from '../admin/documents/history.js';
import { historyLines } from './history/text.js';
import { printJson, usageError, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { addQueueOptions, withQueue } from './kit/options/queue-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'shown, also when nothing has happened'],
  [EXIT_FAILURE, 'Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];

interface HistoryOptions {
  readonly days: string;
  readonly by?: string;
  readonly json?: true;
}

export const registerHistory: RegisterCommand = (program, context) => {
  const command = program
    .command('history')
    .description(
      'show what the workers of all hosts did: arrived, delivered, failed, how long it waited, how much of it',
    )
    .option(
      '--days <count>',
      'how far back; by day from the first of them on, else so many times 24 hours',
      String(DEFAULT_DAYS),
    )
    .option(
      '--by <unit>',
      `${HISTORY_UNITS.join(', ')}; by minute it goes back ${mostDays('minute')} days, else ${mostDays('day')} (default: hour up to 2 days, then day)`,
    )
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nTimes are UTC. Examples:\n  $ message-broker-worker history --days 1\n  $ message-broker-worker history --days 1 --by minute | tail -180\n',
    );
  addQueueOptions(command).action(async (options: HistoryOptions) => {
    const query = queryOf(options);
    const document = await withQueue(command, context, (operator, { queue }) =>
      readHistoryDocument(operator, query, queue.name),
    );
    if (options.json) return printJson(context, document);
    for (const line of historyLines(document)) context.print(line);
  });
  addExitCodes(command, EXIT_CODES);
};

function queryOf({ days: text, by: given }: HistoryOptions): { readonly days: number; readonly by: HistoryUnit } {
  const days = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : NaN;
  const by = given === undefined ? unitFor(days) : HISTORY_UNITS.find((unit) => unit === given);
  if (by === undefined) throw usageError(`--by must be one of ${HISTORY_UNITS.join(', ')}.`);
  if (!(days <= mostDays(by))) throw usageError(`--days must be a whole number from 1 to ${mostDays(by)} by ${by}.`);
  return { days, by };
}
