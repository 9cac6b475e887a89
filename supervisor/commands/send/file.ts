/** Messages from JSON lines. A file is read twice, so that one bad line stops the command before anything is sent. */
import { systemClock } from '../../../src/shared/time/clock.js';
import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { CommandError } from '../kit/command.js';
import type { LineSource } from '../kit/lines.js';
import { completeLine, type ReadyMessage } from './messages.js';

/** Ends the command at a line of a pipe: those before it are sent, none behind it. */
export class BadLineError extends CommandError {}

/** Throws CommandError when a line is no message. A pipe is not looked at: it comes once. */
export async function checkLines(source: LineSource, onChecked: (count: number) => void): Promise<void> {
  if (!source.isRepeatable) return;
  const bad: string[] = [];
  let checked = 0;
  for await (const { number, bytes } of source.lines()) {
    const message = completeLine(bytes, systemClock.wallNow());
    if ('problem' in message) bad.push(`Line ${number} of ${source.name} is no message: ${message.problem}`);
    onChecked((checked += 1));
  }
  const [first] = bad;
  if (first === undefined) return;
  const others =
    bad.length === 1 ? '' : `, and so ${bad.length === 2 ? 'is one other' : `are ${bad.length - 1} others`}`;
  throw new CommandError(EXIT_FAILURE, `${first}${others}. Nothing was sent.`);
}

export async function* messagesIn(source: LineSource): AsyncGenerator<ReadyMessage> {
  for await (const { number, bytes } of source.lines()) {
    const message = completeLine(bytes, systemClock.wallNow());
    if ('problem' in message) {
      throw new BadLineError(EXIT_FAILURE, `Line ${number} of ${source.name} is no message: ${message.problem}.`);
    }
    yield message;
  }
}
