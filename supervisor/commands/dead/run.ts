/** What `dead replay` and `dead purge` do alike. */
import type { Command } from 'commander';

import type { DeadLetterProgress } from '../../../src/queue/dead-letters/run.js';
import { runDocument } from '../../admin/dead-letter-document.js';
import { printJson, type CommandContext } from '../kit/command.js';
import { addFilterOptions, filterOf, type FilterOptions } from '../kit/filter-options.js';
import { noteDeed } from '../kit/operator.js';
import { createProgress } from '../kit/progress.js';
import { addQueueOptions, withQueue } from '../kit/queue-options.js';

export interface RunOptions extends FilterOptions {
  readonly dryRun?: true;
  readonly json?: true;
}

interface Run {
  readonly kind: 'replay' | 'purge';
  /** What was done to them, as a participle. */
  readonly done: string;
  readonly options: RunOptions;
}

export function addRunOptions(command: Command): Command {
  command
    .option('--dry-run', 'only count them')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', `\nExample:\n  $ message-broker-worker dead ${command.name()} --older-than 7d --dry-run\n`);
  addFilterOptions(command, ['dead']);
  return addQueueOptions(command);
}

/** Walks over the letters that the filter means, shows how far it is, prints what came out. */
export async function runOnLetters(
  command: Command,
  context: CommandContext,
  { kind, done, options }: Run,
): Promise<DeadLetterProgress> {
  const filter = filterOf(options);
  const dryRun = options.dryRun ?? false;
  const progress = createProgress(context.streams);
  const result = await withQueue(command, context, async (queue) => {
    // it may be killed midway
    if (!dryRun) await noteDeed(queue, context, { action: kind, filter, detail: 'begins' });
    const came = await queue.deadLetters[kind]({
      filter,
      dryRun,
      onMoved: (moved, left) =>
        progress.update(`${moved} letters of an earlier version moved to the index, ${left} left`),
      onProgress: (now) => progress.update(`${now.seen} of ${now.total} seen, ${now.done} ${done}`),
    });
    if (!dryRun) await noteDeed(queue, context, { action: kind, filter, count: came.done });
    return came;
  }).finally(() => progress.end());
  if (options.json) printJson(context, runDocument(result, dryRun));
  else if (dryRun) context.print(`${result.meant} of ${result.total} dead letters would be ${done}.`);
  else context.print(`${result.done} of ${result.total} dead letters ${done}.`);
  if (!options.json) sayBeingTold(context, result);
  return result;
}

/** Why some stay: a late "failed" must not overwrite what becomes of them. */
export function sayBeingTold(context: CommandContext, { beingTold }: DeadLetterProgress): void {
  if (!beingTold) return;
  const seconds = Math.ceil(beingTold.againInMs / 1_000);
  context.print(`${beingTold.letters} stay: the main server is being told of them, again in ${seconds} s.`);
}
