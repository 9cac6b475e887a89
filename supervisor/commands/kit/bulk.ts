/** What commands have alike that do something to many: they say how many and ask, count without doing it, end when asked to. */
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';

import { isUnfiltered, type MessageFilter } from '../../../src/domain/filter/message-filter.js';
import { EXIT_FAILURE, reasonOf, RedisUnavailableError } from '../../../src/shared/errors.js';
import { CommandError, usageError, type CommandContext, type Streams } from './command.js';

export interface BulkOptions {
  readonly all?: true;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

export function addBulkOptions(command: Command): Command {
  return command
    .option('--all', 'without a filter: really all of them')
    .option('--yes', 'do not ask, for scripts')
    .option('--dry-run', 'say how many and which, and change nothing')
    .option('--json', 'print the result as JSON');
}

/** @throws CommandError where everything would be meant and nobody has said so. `what`: `deliver every dead letter again`. */
export function checkRestricted(filter: MessageFilter, { all, dryRun }: BulkOptions, what: string): void {
  if (isUnfiltered(filter) && !all && !dryRun) {
    throw usageError(`This would ${what}; give a filter, or --all.`);
  }
}

/**
 * Resolves to true when it is to be done, to false when there is nothing to do. Rejects with CommandError when the answer is
 * no, and where nobody can be asked.
 *
 * @param count made only where it is asked for, since it may take its time.
 * @param question of so many.
 */
export async function confirm(
  { streams, print }: CommandContext,
  { yes, dryRun }: BulkOptions,
  count: () => Promise<number>,
  question: (count: number) => string,
): Promise<boolean> {
  if (yes || dryRun) return true;
  const { stdin, stderr } = streams;
  if (!isTerminal(stdin) || !stderr.isTTY) {
    throw usageError('There is no terminal to ask at: add --yes to do it, or --dry-run to see what would be done.');
  }
  const meant = await count();
  if (meant === 0) {
    print('None matches; nothing is changed.');
    return false;
  }
  const answer = await answerTo(`${question(meant)} [y/N] `, { stdin, stderr });
  if (!/^(?:y|yes)$/i.test(answer.trim())) throw new CommandError(EXIT_FAILURE, 'Nothing is changed.');
  return true;
}

/** Ctrl-C and Ctrl-D are an answer too, and an empty one. */
async function answerTo(question: string, { stdin, stderr }: Pick<Streams, 'stdin' | 'stderr'>): Promise<string> {
  const asked = createInterface({ input: stdin, output: stderr });
  const left = new AbortController();
  asked.once('SIGINT', () => asked.close()).once('close', () => left.abort());
  try {
    return await asked.question(question, { signal: left.signal });
  } catch (error) {
    if (!left.signal.aborted) throw error;
    return '';
  } finally {
    asked.close();
  }
}

function isTerminal(stream: NodeJS.ReadableStream & { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true;
}

/** The first Ctrl-C aborts the signal, so that the step under way is the last; a second one ends the process. */
export async function interruptible<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    return await run(stop.signal);
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

/** How a count ends that somebody has ended: of fewer than are meant nobody is asked. */
export function countInterrupted(): CommandError {
  return new CommandError(EXIT_FAILURE, 'Interrupted. Nothing is changed.');
}

/** How a run ends that somebody has ended: `done` says how far it is, as a sentence. */
export function interrupted(done: string): CommandError {
  return new CommandError(EXIT_FAILURE, `Interrupted. ${done} Repeat the command to go on.`);
}

/** How a run ends in whose midst Redis has gone: `done` says how far it is, as a sentence. All else stays what it is. */
export function brokenOff(error: unknown, count: number, done: string): unknown {
  if (count === 0 || !(error instanceof RedisUnavailableError)) return error;
  const text = `${reasonOf(error)}. ${done} Perhaps a few more; repeat the command to go on.`;
  return new CommandError(EXIT_FAILURE, text, { cause: error });
}
