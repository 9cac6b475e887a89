/** `send --wait`: its flags, what it says, and its exit code. */
import type { Command } from 'commander';

import { parseTimeSpan, TIME_SPAN_EXPECTED } from '../../../src/domain/filter/moment.js';
import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import type { Config } from '../../../src/shared/config/config.js';
import { printable } from '../../../src/shared/words/escape.js';
import { usageError } from '../kit/command.js';
import { outcomesOf, type Outcome } from './outcomes.js';

export interface WaitOptions {
  readonly wait?: true;
  readonly timeout?: string;
}

/** More would be looked for among all that wait, again and again. */
const MOST_WAITED_FOR = 1_000;
const DEFAULT_TIMEOUT = '60s';

export function addWaitOptions(command: Command): Command {
  return command
    .option(
      '--wait',
      `wait until they have left Redis, delivered, or are dead letters; up to ${MOST_WAITED_FOR} messages`,
    )
    .option('--timeout <time>', `with --wait: for so long at most (default ${DEFAULT_TIMEOUT})`);
}

/** Undefined = nobody waits. @throws CommandError */
export function timeoutMsOf({ wait, timeout }: WaitOptions): number | undefined {
  if (!wait && timeout !== undefined) throw usageError('--timeout goes with --wait.');
  if (!wait) return undefined;
  const ms = parseTimeSpan(timeout ?? DEFAULT_TIMEOUT);
  if (ms === undefined) throw usageError(`--timeout is ${JSON.stringify(timeout)}; it must be ${TIME_SPAN_EXPECTED}.`);
  return ms;
}

/** @throws CommandError where there are more than can be waited for. `file`: of a file that was checked, or of a pipe. */
export function checkFew(
  { count = '1' }: { readonly count?: string },
  file: { readonly lines: number; readonly isRepeatable: boolean } | undefined,
): void {
  const messages = file ? file.lines : Number(count);
  if (messages <= MOST_WAITED_FOR && file?.isRepeatable !== false) return;
  throw usageError(`--wait goes with up to ${MOST_WAITED_FOR} messages, and not with a pipe. Nothing was sent.`);
}

/** Ms since the Unix epoch, on Redis's clock. */
export async function redisTime(queue: Pick<OperatorQueue, 'ask'>): Promise<number> {
  const [seconds, micros] = ((await queue.ask('TIME')) as Buffer[]).map(Number) as [number, number];
  return seconds * 1_000 + micros / 1_000;
}

/** @throws CommandError where it could not be told from Redis what became of a message. */
export function checkWaitable({ reliable }: Config['queue']): void {
  if (!reliable)
    throw usageError('--wait needs WORKER_QUEUE_RELIABLE=true: without it nobody knows what is in flight.');
}

export async function waitFor(
  queue: OperatorQueue,
  ids: readonly string[],
  options: { readonly sinceMs: number; readonly timeoutMs: number; readonly onProgress: (text: string) => void },
): Promise<ReadonlyMap<string, Outcome>> {
  const onLook = (left: ReadonlyMap<string, Outcome>): void => {
    const [first] = left.values();
    options.onProgress(`${left.size} of ${ids.length} left, ${first === undefined ? '' : placeText(first)}`);
  };
  return outcomesOf(queue, { ids, ...options, onLook });
}

/** A line for each, in the order in which they were sent. */
export function outcomeLines(outcomes: ReadonlyMap<string, Outcome>): string[] {
  return [...outcomes].map(([id, outcome]) => `${printable(id, 255)}: ${placeText(outcome)}`);
}

export function outcomeDocument(outcomes: ReadonlyMap<string, Outcome>) {
  return [...outcomes].map(([id, { place, reason }]) => ({ message_id: id, outcome: place, reason: reason ?? null }));
}

const TEXTS: Readonly<Record<Outcome['place'], string>> = {
  waiting: 'waits for a worker',
  in_flight: 'is with a worker',
  retry: 'waits for its next attempt',
  dead: 'is a dead letter',
  delivered: 'delivered',
};

function placeText({ place, reason }: Outcome): string {
  return reason === undefined ? TEXTS[place] : `${TEXTS[place]} (${printable(reason, 80)})`;
}
