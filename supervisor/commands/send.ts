import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';

import { systemClock } from '../../src/shared/time/clock.js';
import { reasonOf, EXIT_FAILURE } from '../../src/shared/errors.js';
import type { OperatorQueue } from '../../src/queue/operator-queue.js';
import { CommandError, printJson, usageError, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { createProgress } from './kit/progress.js';
import { addQueueOptions, withQueue } from './kit/queue-options.js';
import { completeMessage, composeMessage, type MessageFields } from './send/messages.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'all were sent'],
  [EXIT_FAILURE, 'not all were sent; the line on stderr says how many were'],
  ...QUEUE_EXIT_CODES,
];

interface SendOptions extends MessageFields {
  readonly file?: string;
  readonly count?: string;
  readonly json?: true;
}

/** Messages in one LPUSH, and the bytes after which it is sent. */
const BATCH = 500;
const BATCH_BYTES = 1_048_576;

export const registerSend: RegisterCommand = (program, context) => {
  const command = program
    .command('send')
    .argument('[message]', 'a message as JSON; message_id and queued_at are added when missing')
    .description('put messages on the queue')
    .option('--sender <number>', 'sender_number of a message made of flags')
    .option('--body <text>', 'its message_body')
    .option('--client-id <id>', 'its client_id')
    .option('--domain <domain>', 'its domain')
    .option('--count <count>', 'how many copies, each with an id of its own', '1')
    .option('--file <file>', 'JSON lines, one message each; - reads them from stdin')
    .option('--json', 'print the result as JSON')
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
  const source = sourceOf(message, options, context);
  const progress = createProgress(context.streams);
  const sent = { count: 0 };
  try {
    await withQueue(command, context, (queue) =>
      sendAll(queue, source, (count) => {
        sent.count += count;
        progress.update(`${sent.count} messages sent`);
      }),
    );
  } catch (error) {
    if (sent.count === 0) throw error;
    throw new CommandError(EXIT_FAILURE, `${reasonOf(error)} ${sent.count} messages had been sent before.`, {
      cause: error,
    });
  } finally {
    progress.end();
  }
  if (options.json) printJson(context, { sent: sent.count });
  else context.print(`${sent.count} ${sent.count === 1 ? 'message' : 'messages'} sent.`);
}

async function sendAll(
  queue: OperatorQueue,
  messages: Iterable<Buffer> | AsyncIterable<Buffer>,
  onSent: (count: number) => void,
): Promise<void> {
  let batch: Buffer[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    await queue.enqueue(batch);
    onSent(batch.length);
    batch = [];
    bytes = 0;
  };
  for await (const message of messages) {
    batch.push(message);
    bytes += message.length;
    if (batch.length >= BATCH || bytes >= BATCH_BYTES) await flush();
  }
  await flush();
}

function sourceOf(message: string | undefined, options: SendOptions, context: CommandContext) {
  const { sender, body, clientId, domain, file } = options;
  const hasFields = [sender, body, clientId, domain].some((field) => field !== undefined);
  if ([message !== undefined, hasFields, file !== undefined].filter(Boolean).length > 1) {
    throw usageError('Give the message as JSON, by flags, or in a file: one of them.');
  }
  const count = countOf(options.count ?? '1');
  if (file !== undefined) {
    if (count !== 1) throw usageError('--count does not go with --file.');
    return linesOf(file, context);
  }
  return message === undefined ? composed(options, count) : copies(message, count);
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw usageError(`--count is ${JSON.stringify(text)}; it must be a whole number from 1 on.`);
  return Number(text);
}

function* composed(fields: MessageFields, count: number): Generator<Buffer> {
  for (let made = 0; made < count; made++) yield composeMessage(fields, systemClock.wallNow());
}

function* copies(text: string, count: number): Generator<Buffer> {
  for (let made = 0; made < count; made++) {
    const message = completeMessage(text, systemClock.wallNow(), made > 0);
    if (!Buffer.isBuffer(message)) throw usageError(`The message is not sent: ${message.problem}.`);
    yield message;
  }
}

/** A bad line ends the run: those before it have been sent, and the error says how many. */
async function* linesOf(file: string, { streams, cwd }: CommandContext): AsyncGenerator<Buffer> {
  const name = file === '-' ? 'stdin' : file;
  const input: NodeJS.ReadableStream = file === '-' ? streams.stdin : createReadStream(resolve(cwd, file), 'utf8');
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      number += 1;
      if (line.trim() === '') continue;
      const message = completeMessage(line, systemClock.wallNow());
      if (!Buffer.isBuffer(message)) {
        throw new CommandError(EXIT_FAILURE, `Line ${number} of ${name} is not sent: ${message.problem}.`);
      }
      yield message;
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(EXIT_FAILURE, `${name} cannot be read: ${reasonOf(error)}.`, { cause: error });
  }
}
