import type { DeadLetterPage } from '../../../src/queue/dead-letters/listing.js';
import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { printable } from '../../../src/shared/words/escape.js';
import { listDocument, summaryOf } from '../../admin/documents/dead-letters.js';
import type { DeadLetterSummary } from '../../admin/protocol.js';
import { printJson, usageError, type CommandContext, type RegisterCommand } from '../kit/command.js';
import { duration } from '../kit/duration.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { addFilterOptions, filterOf, type FilterOptions } from '../kit/options/filter-options.js';
import { createProgress } from '../kit/progress.js';
import { addQueueOptions, withQueue } from '../kit/options/queue-options.js';
import { table } from '../kit/text-table.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'listed, also when there are none'],
  [EXIT_FAILURE, 'Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];

interface ListOptions extends FilterOptions {
  readonly limit: string;
  readonly after?: string;
  readonly json?: true;
}

export const registerList: RegisterCommand = (dead, context) => {
  const command = dead
    .command('list')
    .description('list them, the newest first')
    .option('--limit <count>', 'how many', '50')
    .option('--after <cursor>', 'go on behind a page: "cursor" of --json')
    .option('--json', 'print them as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker dead list --reason malformed --newer-than 1h\n');
  addFilterOptions(command, ['dead']);
  addQueueOptions(command).action(async (options: ListOptions) => {
    if (!/^[1-9]\d{0,6}$/.test(options.limit)) throw usageError('--limit must be a whole number from 1 to 9999999.');
    const filter = filterOf(options);
    const progress = createProgress(context.streams);
    const query = {
      filter,
      limit: Number(options.limit),
      ...(options.after === undefined ? {} : { after: options.after }),
      onProgress: ({
        looked,
        total,
        found,
      }: {
        readonly looked: number;
        readonly total: number;
        readonly found: number;
      }) => progress.update(`looked at ${looked} of ${total}, ${found} found`),
    };
    const page = await withQueue(command, context, ({ deadLetters }) => deadLetters.list(query, summaryOf)).finally(
      () => progress.end(),
    );
    if (options.json) return printJson(context, listDocument(page));
    printPage(page, context);
  });
  addExitCodes(command, EXIT_CODES);
};

function printPage(page: DeadLetterPage<DeadLetterSummary>, context: CommandContext): void {
  const { entries, total, hasMore, unmoved } = page;
  if (unmoved > 0) context.print(`${unmoved} letters of an earlier version are being moved and are not listed yet.`);
  if (entries.length === 0) return context.print(total === 0 ? 'There are no dead letters.' : 'None matches.');
  for (const line of listTable(entries)) context.print(line);
  context.print(`${entries.length} shown of ${total} in all${hasMore ? '; more match (--limit)' : ''}`);
}

function listTable(letters: readonly DeadLetterSummary[]): string[] {
  const rows = letters.map(
    ({ number, key, dead_at: deadAt, reason, attempt_count: attempts, message_id: id, error, last_failure: last }) => [
      String(number),
      key,
      age(deadAt),
      printable(reason, 40),
      String(attempts),
      id === null ? '-' : printable(id, 60),
      printable(last ? `${error}, at last ${last.reason}` : error, 80),
    ],
  );
  return table([['#', 'KEY', 'AGE', 'REASON', 'ATTEMPTS', 'MESSAGE ID', 'ERROR'], ...rows], new Set([1, 3, 5, 6]));
}

function age(deadAt: string | null): string {
  const seconds = (systemClock.wallNow() - Date.parse(deadAt ?? '')) / 1_000;
  return Number.isFinite(seconds) ? duration(Math.max(0, seconds)) : '-';
}
