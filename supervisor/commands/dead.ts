import type { Command } from 'commander';

import { isUnfiltered } from '../../src/domain/dead-letter-filter.js';
import { printable } from '../../src/shared/words/escape.js';
import {
  detailsOf,
  listDocument,
  runDocument,
  summaryOf,
  type DeadLetterSummary,
} from '../admin/dead-letter-document.js';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { CommandError, printJson, usageError, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addFilterOptions, filterOf, type FilterOptions } from './kit/dead-options.js';
import { createProgress } from './kit/progress.js';
import { addQueueOptions, withQueue } from './kit/queue-options.js';
import { duration, table } from './kit/status-table.js';
import { systemClock } from '../../src/shared/time/clock.js';

export const registerDead: RegisterCommand = (program, context) => {
  const dead = program
    .command('dead')
    .description('look at dead letters, deliver them again, delete them; works on Redis, also without a supervisor')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker dead list --reason max_attempts_exceeded\n');
  registerList(dead, context);
  registerShow(dead, context);
  registerRun(dead, context, 'replay');
  registerRun(dead, context, 'purge');
};

function registerList(dead: Command, context: CommandContext): void {
  const command = dead
    .command('list')
    .description('list them, the newest first')
    .option('--limit <count>', 'how many', '50')
    .option('--json', 'print them as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker dead list --reason malformed --newer-than 1h\n');
  addFilterOptions(command);
  addQueueOptions(command).action(async (options: FilterOptions & { limit: string; json?: true }) => {
    if (!/^[1-9]\d{0,6}$/.test(options.limit)) throw usageError('--limit must be a whole number from 1 on.');
    const filter = filterOf(options);
    const page = await withQueue(command, context, (queue) =>
      queue.deadLetters.list(filter, Number(options.limit), summaryOf),
    );
    if (options.json) return printJson(context, listDocument(page));
    if (page.entries.length === 0)
      return context.print(page.total === 0 ? 'There are no dead letters.' : 'None matches.');
    for (const line of listTable(page.entries)) context.print(line);
    context.print(
      `${page.entries.length} shown of ${page.total} in all${page.hasMore ? '; more match (--limit)' : ''}`,
    );
  });
}

function listTable(letters: readonly DeadLetterSummary[]): string[] {
  const rows = letters.map(
    ({ number, key, dead_at: deadAt, reason, attempt_count: attempts, message_id: id, error }) => [
      String(number),
      key,
      age(deadAt),
      printable(reason, 40),
      String(attempts),
      id === null ? '-' : printable(id, 60),
      printable(error, 80),
    ],
  );
  return table([['#', 'KEY', 'AGE', 'REASON', 'ATTEMPTS', 'MESSAGE ID', 'ERROR'], ...rows], new Set([1, 3, 5, 6]));
}

function age(deadAt: string | null): string {
  const seconds = (systemClock.wallNow() - Date.parse(deadAt ?? '')) / 1_000;
  return Number.isFinite(seconds) ? duration(Math.max(0, seconds)) : '-';
}

function registerShow(dead: Command, context: CommandContext): void {
  const command = dead
    .command('show')
    .argument('<letter>', 'its number or key, as "dead list" shows them')
    .description('show one with its message')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker dead show 1\n');
  addQueueOptions(command).action(async (letter: string, { json }: { json?: true }) => {
    const entry = await withQueue(command, context, (queue) => queue.deadLetters.find(letter));
    if (!entry) throw new CommandError(EXIT_FAILURE, 'There is no dead letter of this number or key; see "dead list".');
    const details = detailsOf(entry, Infinity);
    if (json) return printJson(context, details);
    const width = Math.max(...Object.keys(details).map((name) => name.length));
    for (const [name, value] of Object.entries(details)) {
      context.print(`${name.padEnd(width)}  ${printable(String(value ?? '-'), Infinity)}`);
    }
  });
}

const WORDS = {
  replay: {
    description: 'put them back on the queue, the oldest first, their attempts counted from 0 again',
    done: 'put back on the queue',
  },
  purge: { description: 'delete them for good', done: 'deleted' },
} as const;

function registerRun(dead: Command, context: CommandContext, kind: 'replay' | 'purge'): void {
  const command = dead
    .command(kind)
    .description(WORDS[kind].description)
    .option('--dry-run', 'only count them')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', `\nExample:\n  $ message-broker-worker dead ${kind} --older-than 7d --dry-run\n`);
  if (kind === 'purge') command.option('--all', 'without a filter: really all of them');
  addFilterOptions(command);
  addQueueOptions(command).action(async (options: FilterOptions & { dryRun?: true; all?: true; json?: true }) => {
    const filter = filterOf(options);
    const dryRun = options.dryRun ?? false;
    if (kind === 'purge' && isUnfiltered(filter) && !options.all && !dryRun) {
      throw usageError('This would delete every dead letter; give a filter, or --all.');
    }
    const progress = createProgress(context.streams);
    const result = await withQueue(command, context, (queue) =>
      queue.deadLetters[kind]({
        filter,
        dryRun,
        onProgress: ({ seen, total, done }) => progress.update(`${seen} of ${total} seen, ${done} ${WORDS[kind].done}`),
      }),
    ).finally(() => progress.end());
    if (options.json) return printJson(context, runDocument(result, dryRun));
    context.print(
      dryRun
        ? `${result.meant} of ${result.total} dead letters would be ${WORDS[kind].done}.`
        : `${result.done} of ${result.total} dead letters ${WORDS[kind].done}.`,
    );
    if (kind === 'replay' && result.unreadable > 0) {
      context.print(
        `${result.unreadable} stay: they are no envelopes of ours, what to deliver cannot be told ("dead show").`,
      );
    }
  });
}
