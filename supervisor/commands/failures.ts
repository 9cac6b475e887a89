import { Option } from 'commander';

import { FAILURE_REASONS } from '../../src/domain/delivery-outcome.js';
import { FAILURE_SIDES, type FailureFilter, type FailureSide } from '../../src/domain/failures/failure-summary.js';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { printable } from '../../src/shared/words/escape.js';
import { failuresDocument } from '../admin/documents/failures.js';
import type { FailureGroupDocument, FailuresDocument } from '../admin/protocol.js';
import { printJson, type CommandContext, type RegisterCommand } from './kit/command.js';
import { duration } from './kit/duration.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { momentMs, reasonOption } from './kit/options/filter-options.js';
import { addQueueOptions, withQueue } from './kit/options/queue-options.js';
import { table } from './kit/text-table.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'shown, also when nothing has failed'],
  [EXIT_FAILURE, 'Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];

interface FailuresOptions extends FailureFilter {
  readonly since: string;
  readonly by: FailureSide;
  readonly json?: true;
}

export const registerFailures: RegisterCommand = (program, context) => {
  const command = program
    .command('failures')
    .description(
      'show what fails, whom it hits and since when, with one example each; counts also what has been delivered since',
    )
    .option('--since <time>', 'in whole hours: 2h for two hours ago, 7d, or 2026-01-15T10:30Z; kept for 8 days', '1h')
    .addOption(new Option('--by <what>', 'what to put together').choices(FAILURE_SIDES).default('reason'))
    .addOption(reasonOption('only those for this reason', [...FAILURE_REASONS, 'poison']))
    .option('--client <id>', 'only those whose message has this client_id')
    .option('--domain <name>', 'only those whose message has this domain')
    .option('--json', 'print them as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker failures --since 2h --by client --reason http_503\n');
  addQueueOptions(command).action(async (options: FailuresOptions) => {
    const now = systemClock.wallNow();
    const { by, reason, client, domain } = options;
    const since = momentMs('--since', options.since, now) ?? now;
    const filter = {
      ...(reason === undefined ? {} : { reason }),
      ...(client === undefined ? {} : { client }),
      ...(domain === undefined ? {} : { domain }),
    };
    const document = await withQueue(command, context, (queue) => failuresDocument(queue, { by, since, now, filter }));
    if (options.json) return printJson(context, document);
    printFailures(document, context, now);
  });
  addExitCodes(command, EXIT_CODES);
};

function printFailures(
  { since, by, attempts, groups, other_attempts: other }: FailuresDocument,
  context: CommandContext,
  now: number,
): void {
  const from = since.slice(0, 16).replace('T', ' ');
  if (attempts === 0 && other === 0) return context.print(`Nothing has failed since ${from} UTC.`);
  if (groups.length > 0) for (const line of failuresTable(groups, by, now)) context.print(line);
  context.print(`${attempts} failed attempts since ${from} UTC`);
  if (groups.length > 0) context.print('To see what became of an example: message-broker-worker message show EXAMPLE');
  if (other > 0)
    context.print(`and ${other} of which only the number is known: more than 1,000 different ones in an hour`);
}

function failuresTable(groups: readonly FailureGroupDocument[], by: FailureSide, now: number): string[] {
  const second = by === 'reason' ? 'CLIENTS' : 'REASONS';
  const rows = groups.map(({ name, attempts, reasons, clients, first_at: first, last_at: last, ...group }) => [
    name === null ? '-' : printable(name, 60),
    String(attempts),
    by === 'reason' ? String(clients) : printable(reasons.slice(0, 3).join(', '), 80),
    age(first, now),
    age(last, now),
    group.example_message_id === '' ? '-' : printable(group.example_message_id, 60),
  ]);
  const texts = by === 'reason' ? [0, 5] : [0, 2, 5];
  return table([[by.toUpperCase(), 'ATTEMPTS', second, 'SINCE', 'LAST', 'EXAMPLE'], ...rows], new Set(texts));
}

function age(at: string, now: number): string {
  return duration(Math.max(0, (now - Date.parse(at)) / 1_000));
}
