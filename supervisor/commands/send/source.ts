import { systemClock } from '../../../src/shared/time/clock.js';
import { valuesIn, type Wanted } from '../kit/checked-lines.js';
import { usageError, type CommandContext } from '../kit/command.js';
import { lineSource, type LineSource } from '../kit/lines.js';
import { completeLine, completeMessage, composeMessage, type MessageFields, type ReadyMessage } from './messages.js';

/** Lines of a file of messages. */
export const MESSAGE_LINES: Wanted<ReadyMessage> = {
  noun: 'message',
  done: 'sent',
  read: (line) => completeLine(line, systemClock.wallNow()),
};

export interface SourceOptions extends MessageFields {
  readonly file?: string;
  readonly count?: string;
}

export interface Source {
  readonly messages: Iterable<ReadyMessage> | AsyncIterable<ReadyMessage>;
  /** Where they come from lines. */
  readonly lines?: LineSource;
}

/** What is to be sent: flags, a message, or a file. Throws CommandError when it is not one of them. */
export async function sourceOf(
  message: string | undefined,
  options: SourceOptions,
  context: CommandContext,
): Promise<Source> {
  const { sender, body, clientId, domain, file } = options;
  const hasFields = [sender, body, clientId, domain].some((field) => field !== undefined);
  if ([message !== undefined, hasFields, file !== undefined].filter(Boolean).length > 1) {
    throw usageError('Give the message as JSON, by flags, or in a file: one of them.');
  }
  const count = countOf(options.count ?? '1');
  if (file === undefined) {
    return { messages: message === undefined ? composed(options, count) : copies(message, count) };
  }
  if (count !== 1) throw usageError('--count does not go with --file.');
  const lines = await lineSource(file, context);
  return { messages: valuesIn(lines, MESSAGE_LINES), lines };
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw usageError(`--count is ${JSON.stringify(text)}; it must be a whole number from 1 on.`);
  return Number(text);
}

function* composed(fields: MessageFields, count: number): Generator<ReadyMessage> {
  for (let made = 0; made < count; made++) yield composeMessage(fields, systemClock.wallNow());
}

function* copies(text: string, count: number): Generator<ReadyMessage> {
  for (let made = 0; made < count; made++) {
    const message = completeMessage(text, systemClock.wallNow(), made > 0);
    if ('problem' in message)
      throw usageError(`The message is not sent: ${message.problem}. To send a text: --body "...".`);
    yield message;
  }
}
