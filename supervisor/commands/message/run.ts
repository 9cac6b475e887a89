/** What `message retry` and `message cancel` do alike. */
import type { Command } from 'commander';

import type { MessageFilter, MessagePlace } from '../../../src/domain/filter/message-filter.js';
import type { ActionProgress, MeantMessage } from '../../../src/queue/actions/run.js';
import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { printable } from '../../../src/shared/words/escape.js';
import { actionDocument } from '../../admin/documents/actions.js';
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
import { CommandError, printJson, usageError, type CommandContext } from '../kit/command.js';
import { addFilterOptions, filterOf, type FilterOptions } from '../kit/options/filter-options.js';
import { noteDeed, outcomeOf } from '../kit/operator.js';
import { createProgress } from '../kit/progress.js';
import { addQueueOptions, withQueue } from '../kit/options/queue-options.js';
import { whereabouts } from './whereabouts.js';

export type ActionOptions = FilterOptions & BulkOptions;

interface Action {
  readonly kind: 'retry' | 'cancel';
  /** Completes "This would ...". */
  readonly all: string;
  /** Completes "12 messages ...", and "12 messages would be ...". */
  readonly done: string;
  readonly places: readonly MessagePlace[];
  /** Where a message may be that was asked for and not met. */
  readonly elsewhere: Parameters<typeof whereabouts>[2];
}

/** A dry run names no more: `message list` does, page by page. */
const MOST_NAMED = 1_000;

export function addActionOptions(command: Command, { kind, places }: Action): Command {
  command.argument('[id...]', 'message ids; or a filter, or --all').addHelpText(
    'after',
    `
Ids are done without a question; a filter says how many it means, and asks.

Examples:
  $ message-broker-worker message ${kind} 7d0f2a64-5a1b-4c55-9a39-0f5b6c1e2d3f
  $ message-broker-worker message ${kind} --client client-7 --dry-run
`,
  );
  addBulkOptions(command);
  addFilterOptions(command, places);
  return addQueueOptions(command);
}

export async function runAction(
  command: Command,
  context: CommandContext,
  action: Action,
  { ids, options }: { readonly ids: readonly string[]; readonly options: ActionOptions },
): Promise<void> {
  const filter = withIds(filterOf(options), ids);
  checkRestricted(filter, options, action.all);
  const isNamed = ids.length > 0 && Object.keys(filter).length === 1;
  const question = (count: number): string => `${countText(count)} would be ${action.done}. Go on?`;
  const isWanted =
    isNamed || (await confirm(context, options, () => countOf(command, context, action, filter), question));
  if (!isWanted) return;
  const met: MeantMessage[] = [];
  const { result, missing } = await act(command, context, { action, filter, options, met });
  print(context, { action, options, met, result, missing });
  if (result.isInterrupted) throw interrupted(`${countText(result.done)} ${action.done}.`);
  if (missing.length > 0) throw new CommandError(EXIT_FAILURE, missing.join('\n'));
}

interface Asked {
  readonly action: Action;
  readonly filter: MessageFilter;
  readonly options: ActionOptions;
  /** Filled with what a dry run has met. */
  readonly met: MeantMessage[];
}

function act(command: Command, context: CommandContext, { action, filter, options, met }: Asked) {
  const { kind, done, elsewhere } = action;
  const dryRun = options.dryRun ?? false;
  let count = 0;
  const progress = createProgress(context.streams);
  return withQueue(command, context, (queue) =>
    interruptible(async (signal) => {
      // it may be killed midway
      if (!dryRun) await noteDeed(queue, context, { action: kind, filter, detail: 'begins' });
      const result = await queue.actions[kind]({
        filter,
        dryRun,
        signal,
        onProgress: (now) => {
          count = now.done;
          progress.update(`${now.seen} of ${now.total} seen, ${now.meant} meant, ${now.done} ${done}`);
        },
        ...(dryRun ? { onMeant: (message) => met.length < MOST_NAMED && met.push(message) } : {}),
      });
      if (!dryRun) await noteDeed(queue, context, { action: kind, filter, ...outcomeOf(result) });
      return { result, missing: await missingOf(queue, filter, result, elsewhere) };
    }),
  )
    .catch((error: unknown) => {
      throw brokenOff(error, count, `${countText(count)} ${done}.`);
    })
    .finally(() => progress.end());
}

async function missingOf(
  queue: OperatorQueue,
  { ids = [] }: MessageFilter,
  { met, isInterrupted }: ActionProgress,
  elsewhere: Action['elsewhere'],
): Promise<readonly string[]> {
  const missing = [...new Set(ids)].filter((id) => !met.has(id));
  return isInterrupted || missing.length === 0 ? [] : whereabouts(queue, missing, elsewhere);
}

async function countOf(
  command: Command,
  context: CommandContext,
  { kind }: Action,
  filter: MessageFilter,
): Promise<number> {
  const progress = createProgress(context.streams);
  const onProgress = ({ seen, total }: ActionProgress): void => progress.update(`${seen} of ${total} counted`);
  const { meant, already, isInterrupted } = await withQueue(command, context, ({ actions }) =>
    interruptible((signal) => actions[kind]({ filter, dryRun: true, signal, onProgress })),
  ).finally(() => progress.end());
  if (isInterrupted) throw countInterrupted();
  return meant - already;
}

interface Outcome {
  readonly action: Action;
  readonly options: ActionOptions;
  readonly met: readonly MeantMessage[];
  readonly result: ActionProgress;
  readonly missing: readonly string[];
}

function print(context: CommandContext, { action: { done }, options, met, result }: Outcome): void {
  if (options.json) return printJson(context, actionDocument(result, options.dryRun ? met : undefined));
  if (options.dryRun) {
    for (const { place, messageId } of met) {
      context.print(`${place.padEnd(7)}  ${messageId === undefined ? '-' : printable(messageId, 255)}`);
    }
    if (result.meant > met.length) context.print(`... and ${result.meant - met.length} more ("message list")`);
    return context.print(`${countText(result.meant)} would be ${done}.`);
  }
  if (!result.isInterrupted) context.print(`${countText(result.done)} ${done}.`);
  const { already, later, laterMs, earlier } = result;
  if (later > 0) {
    const seconds = Math.ceil(laterMs / 1_000);
    context.print(`${later} of them within ${seconds} s: a status of their last attempt may be on its way until then.`);
  }
  if (already > 0) context.print(`${already} are due as soon as they may be already.`);
  if (earlier > 0) context.print(`${earlier} stay as they are: an earlier version scheduled them.`);
}

function countText(count: number): string {
  return `${count} ${count === 1 ? 'message' : 'messages'}`;
}

/** @throws CommandError where they are given twice. */
function withIds(filter: MessageFilter, ids: readonly string[]): MessageFilter {
  if (ids.length === 0) return filter;
  if (ids.includes('')) throw usageError('An id is empty; give one, or leave it away.');
  if (filter.ids) throw usageError('Give the ids as arguments or by --id: one of them.');
  return { ...filter, ids };
}
