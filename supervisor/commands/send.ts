import type { Command } from 'commander';

import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { printable } from '../../src/shared/words/escape.js';
import { Batches } from './kit/batches.js';
import { checkLines } from './kit/checked-lines.js';
import { printJson, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { createProgress } from './kit/progress.js';
import { addQueueOptions, withQueue } from './kit/queue-options.js';
import type { ReadyMessage } from './send/messages.js';
import { MESSAGE_LINES, sourceOf, type SourceOptions } from './send/source.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'all were sent'],
  [EXIT_FAILURE, 'not all were sent; the line on stderr says how many were'],
  ...QUEUE_EXIT_CODES,
];

interface SendOptions extends SourceOptions {
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
    .option('--sender <number>', 'sender_number of a message made of flags')
    .option('--body <text>', 'its message_body')
    .option('--client-id <id>', 'its client_id')
    .option('--domain <domain>', 'its domain')
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
`,
    );
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
  const source = await sourceOf(message, options, context);
  const progress = createProgress(context.streams);
  const ids: string[] = [];
  let sent = 0;
  try {
    if (source.lines) {
      await checkLines(source.lines, MESSAGE_LINES, (checked) => progress.update(`${checked} lines checked`));
    }
    await withQueue(command, context, (queue) => {
      const take = async (batch: readonly ReadyMessage[]): Promise<void> => {
        await queue.enqueue(batch.map(({ raw }) => raw));
        sent += batch.length;
        if (options.json || ids.length <= SHOWN_IDS) for (const { id } of batch) ids.push(id);
        progress.update(`${sent} messages sent`);
      };
      return new Batches({ take, bytesOf: ({ raw }: ReadyMessage) => raw.length, words: WORDS }).takeAll(
        source.messages,
      );
    });
  } finally {
    progress.end();
  }
  if (options.json) printJson(context, { sent, message_ids: ids });
  else printSent(context, sent, ids);
}

function printSent(context: CommandContext, sent: number, ids: readonly string[]): void {
  if (sent === 0) return context.print('0 messages sent.');
  if (sent > SHOWN_IDS) return context.print(`${sent} messages sent; --json tells their ids.`);
  const shown = ids.map((id) => printable(id, SHOWN_CHARACTERS));
  if (sent === 1) return context.print(`1 message sent: ${shown.join()}`);
  for (const line of [`${sent} messages sent:`, ...shown]) context.print(line);
}
