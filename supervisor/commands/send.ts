import type { Command } from 'commander';

import type { OperatorQueue } from '../../src/queue/operator-queue.js';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { printable } from '../../src/shared/words/escape.js';
import { Batches } from './kit/batches.js';
import { checkLines } from './kit/checked-lines.js';
import { printJson, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { noteDeed } from './kit/operator.js';
import { createProgress } from './kit/progress.js';
import { addQueueOptions, withQueue } from './kit/options/queue-options.js';
import type { ReadyMessage } from './send/messages.js';
import type { Outcome } from './send/outcomes.js';
import { MESSAGE_LINES, sourceOf, type Source, type SourceOptions } from './send/source.js';
import {
  addWaitOptions,
  checkFew,
  checkWaitable,
  outcomeDocument,
  outcomeLines,
  redisTime,
  timeoutMsOf,
  waitFor,
  type WaitOptions,
} from './send/waiting.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'all were sent; with --wait: and delivered'],
  [
    EXIT_FAILURE,
    'not all were sent, the line on stderr says how many were; with --wait: or not all were delivered in time',
  ],
  ...QUEUE_EXIT_CODES,
];

interface SendOptions extends SourceOptions, WaitOptions {
  readonly json?: true;
}

const WORDS = { one: 'message', many: 'messages', done: 'sent' };
/** More ids than that are told by --json alone. */
const SHOWN_IDS = 20;
/** Longer ones are cut on the screen. */
const SHOWN_CHARACTERS = 255;

export const registerSend: RegisterCommand = (program, context) => {
  const command = program
    .command('send')
    .argument('[message]', 'a message as JSON; message_id and queued_at are added when missing')
    .description('put messages on the queue, and tell their ids')
    .option('--sender <number>', 'sender_number of a message made of flags (default +10000000000)')
    .option('--body <text>', 'its message_body (default "Test message")')
    .option('--client, --client-id <id>', 'its client_id (default message-broker-worker)')
    .option('--domain <domain>', 'its domain (default "default")')
    .option('--count <count>', 'how many copies, each with an id of its own', '1')
    .option(
      '--file <file>',
      'JSON lines, one message each: all are checked before the first is sent; - = stdin, unchecked',
    )
    .option('--json', 'print the result as JSON, with all ids')
    .addHelpText(
      'after',
      `
Examples:
  $ message-broker-worker send --sender +4915112345678 --body "Hello"
  $ message-broker-worker send --count 1000
  $ message-broker-worker send --file messages.jsonl
  $ message-broker-worker send --body "Hello" --wait --timeout 2m
`,
    );
  addWaitOptions(command);
  addQueueOptions(command).action((message: string | undefined, options: SendOptions) =>
    send(command, context, { message, options }),
  );
  addExitCodes(command, EXIT_CODES);
};

async function send(
  command: Command,
  context: CommandContext,
  { message, options }: { readonly message: string | undefined; readonly options: SendOptions },
): Promise<void> {
  const timeoutMs = timeoutMsOf(options);
  const source = await sourceOf(message, options, context);
  const progress = createProgress(context.streams);
  const sent: Sent = { count: 0, ids: [], keepsAll: options.json === true || options.wait === true };
  try {
    let lines = 0;
    if (source.lines) {
      await checkLines(source.lines, MESSAGE_LINES, (checked) => progress.update(`${(lines = checked)} lines checked`));
    }
    if (timeoutMs !== undefined) checkFew(options, source.lines && { lines, isRepeatable: source.lines.isRepeatable });
    const outcomes = await withQueue(command, context, async (queue, config) => {
      const sendNoted = (): Promise<void> =>
        sendAll(queue, source, sent, progress).finally(() => noteSent(queue, context, sent));
      if (timeoutMs === undefined) return void (await sendNoted());
      checkWaitable(config.queue);
      const sinceMs = await redisTime(queue);
      await sendNoted();
      return waitFor(queue, sent.ids, { sinceMs, timeoutMs, onProgress: (text) => progress.update(text) });
    });
    progress.end();
    report(context, options, sent, outcomes);
  } finally {
    progress.end();
  }
}

interface Sent {
  count: number;
  /** All, or the first batch. */
  readonly ids: string[];
  readonly keepsAll: boolean;
}

/** Also of a run that broke off. */
async function noteSent(queue: OperatorQueue, context: CommandContext, { count }: Sent): Promise<void> {
  if (count > 0) await noteDeed(queue, context, { action: 'send', count });
}

async function sendAll(
  queue: OperatorQueue,
  source: Source,
  sent: Sent,
  progress: Pick<ReturnType<typeof createProgress>, 'update'>,
): Promise<void> {
  const take = async (batch: readonly ReadyMessage[]): Promise<void> => {
    await queue.enqueue(batch.map(({ raw }) => raw));
    sent.count += batch.length;
    if (sent.keepsAll || sent.ids.length === 0) for (const { id } of batch) sent.ids.push(id);
    progress.update(`${sent.count} messages sent`);
  };
  await new Batches({ take, bytesOf: ({ raw }: ReadyMessage) => raw.length, words: WORDS }).takeAll(source.messages);
}

function report(
  context: CommandContext,
  { json }: SendOptions,
  { count, ids }: Sent,
  outcomes: ReadonlyMap<string, Outcome> | undefined,
): void {
  if (json) {
    const waited = outcomes && { outcomes: outcomeDocument(outcomes) };
    printJson(context, { schema_version: 1, sent: count, message_ids: ids, ...waited });
  } else if (outcomes) {
    for (const line of outcomeLines(outcomes)) context.print(line);
    const [left] = [...outcomes].find(([, { place }]) => place !== 'delivered') ?? [];
    if (left !== undefined)
      context.print(`To see more of it: message-broker-worker message show ${printable(left, 255)}`);
  } else {
    printSent(context, count, ids);
  }
  if (outcomes && ![...outcomes.values()].every(({ place }) => place === 'delivered')) context.finish(EXIT_FAILURE);
}

function printSent(context: CommandContext, sent: number, ids: readonly string[]): void {
  if (sent === 0) return context.print('0 messages sent.');
  if (sent > SHOWN_IDS) return context.print(`${sent} messages sent; --json tells their ids.`);
  const shown = ids.map((id) => printable(id, SHOWN_CHARACTERS));
  if (sent === 1) return context.print(`1 message sent: ${shown.join()}`);
  for (const line of [`${sent} messages sent:`, ...shown]) context.print(line);
}
