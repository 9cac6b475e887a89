/** What `dead replay` and `dead purge` do alike. */
import type { Command } from 'commander';

import type { DeadLetterProgress, DeadLetterRun } from '../../../src/queue/dead-letters/run.js';
import { printable } from '../../../src/shared/words/escape.js';
import { runDocument } from '../../admin/documents/dead-letters.js';
import {
  addBulkOptions,
  brokenOff,
  checkRestricted,
  confirm,
  countInterrupted,
  interrupted,
  interruptible,
  type BulkOptions,
} from '../kit/bulk.js';
import { printJson, type CommandContext } from '../kit/command.js';
import { addFilterOptions, filterOf, type FilterOptions } from '../kit/options/filter-options.js';
import { noteDeed, outcomeOf } from '../kit/operator.js';
import { createProgress } from '../kit/progress.js';
import { addQueueOptions, withQueue } from '../kit/options/queue-options.js';

export type RunOptions = FilterOptions & BulkOptions;

interface Run {
  readonly kind: 'replay' | 'purge';
  /** What was done to them, as a participle. */
  readonly done: string;
  /** Completes "This would ...". */
  readonly all: string;
  readonly options: RunOptions;
}

export function addRunOptions(command: Command): Command {
  command.addHelpText(
    'after',
    `
What is named by --id is done without a question; any other filter says how many it means, and asks.

Examples:
  $ message-broker-worker dead ${command.name()} --older-than 7d --dry-run
  $ message-broker-worker dead ${command.name()} --reason http_404 --since 48h --until 24h --dry-run
`,
  );
  addBulkOptions(command);
  addFilterOptions(command, ['dead']);
  return addQueueOptions(command);
}

/**
 * Walks over the letters that the filter means, shows how far it is, prints what came out. Undefined = there was nothing to do.
 * Rejects with CommandError when it was not wanted, or interrupted.
 */
export async function runOnLetters(
  command: Command,
  context: CommandContext,
  run: Run,
): Promise<DeadLetterProgress | undefined> {
  const { done, all, options } = run;
  const filter = filterOf(options);
  checkRestricted(filter, options, all);
  const dryRun = options.dryRun ?? false;
  const isNamed = filter.ids !== undefined && Object.keys(filter).length === 1;
  const count = async (): Promise<number> => {
    const { meant, isInterrupted } = await walk(command, context, run, { filter, dryRun: true });
    if (isInterrupted) throw countInterrupted();
    return meant;
  };
  const question = (letters: number): string => `${letters} dead letters would be ${done}. Go on?`;
  if (!isNamed && !(await confirm(context, options, count, question))) return undefined;
  const result = await walk(command, context, run, { filter, dryRun });
  const said = `${result.done} of ${result.total} dead letters ${done}.`;
  if (options.json) printJson(context, runDocument(result, dryRun));
  else if (dryRun) printMeant(context, result, done);
  else if (!result.isInterrupted) context.print(said);
  if (!options.json) sayBeingTold(context, result);
  if (result.isInterrupted) throw interrupted(said);
  return result;
}

/** A dry run names no more: `dead list` does, page by page. */
const MOST_NAMED = 1_000;

interface Walked extends DeadLetterProgress {
  /** Of a dry run: what it has met, a line each. */
  readonly met: readonly string[];
}

function walk(
  command: Command,
  context: CommandContext,
  { kind, done }: Run,
  { filter, dryRun }: Pick<DeadLetterRun, 'filter' | 'dryRun'>,
): Promise<Walked> {
  const progress = createProgress(context.streams);
  const met: string[] = [];
  let count = 0;
  return withQueue(command, context, (queue) =>
    interruptible(async (signal) => {
      // it may be killed midway
      if (!dryRun) await noteDeed(queue, context, { action: kind, filter, detail: 'begins' });
      const came = await queue.deadLetters[kind]({
        filter,
        dryRun,
        signal,
        onMoved: (moved, left) =>
          progress.update(`${moved} letters of an earlier version moved to the index, ${left} left`),
        onProgress: (now) => {
          count = now.done;
          progress.update(`${now.seen} of ${now.total} seen, ${now.done} ${done}`);
        },
        onWait: (letters, ms) => sayWait(context, letters, ms),
        onMeant: ({ unique, reason, messageId = '-' }) => {
          if (dryRun && met.length < MOST_NAMED) met.push(`${unique}  ${printable(`${reason}  ${messageId}`, 300)}`);
        },
      });
      if (!dryRun) await noteDeed(queue, context, { action: kind, filter, ...outcomeOf(came) });
      return { ...came, met };
    }),
  )
    .catch((error: unknown) => {
      throw brokenOff(error, count, `${count} dead letters ${done}.`);
    })
    .finally(() => progress.end());
}

function printMeant(context: CommandContext, { meant, total, met }: Walked, done: string): void {
  for (const line of met) context.print(line);
  if (meant > met.length) context.print(`... and ${meant - met.length} more ("dead list")`);
  context.print(`${meant} of ${total} dead letters would be ${done}.`);
}

/** Redis's clock says that their telling is over, and it may have been set ahead. */
export function sayWait(context: CommandContext, letters: number, ms: number): void {
  const seconds = Math.ceil(ms / 1_000);
  context.printError(`The main server may be hearing of ${letters} of them: waiting ${seconds} s before they follow.`);
}

/** Why some stay: a late "failed" must not overwrite what becomes of them. */
export function sayBeingTold(context: CommandContext, { beingTold }: DeadLetterProgress): void {
  if (!beingTold) return;
  const seconds = Math.ceil(beingTold.againInMs / 1_000);
  context.print(`${beingTold.letters} stay: the main server is being told of them, again in ${seconds} s.`);
}
