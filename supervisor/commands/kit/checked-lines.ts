/** Lines of which each must be something. A file is read twice, so that one bad line stops the command before it begins. */
import type { Buffer } from 'node:buffer';

import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { CommandError } from './command.js';
import type { LineSource } from './lines.js';

/** The end of a sentence, without anything from the line. */
interface Problem {
  readonly problem: string;
}

export interface Wanted<T extends object> {
  /** What a line must be, behind "no ". */
  readonly noun: string;
  /** What is done with it, as a participle. */
  readonly done: string;
  readonly read: (line: Buffer) => T | Problem;
}

/** Ends the command at a line of a pipe: what came before it is done, nothing behind it. */
export class BadLineError extends CommandError {}

/** Throws CommandError when a line is not what is wanted. A pipe is not looked at: it comes once. */
export async function checkLines<T extends object>(
  source: LineSource,
  { noun, done, read }: Wanted<T>,
  onChecked: (count: number) => void,
): Promise<void> {
  if (!source.isRepeatable) return;
  let first: string | undefined;
  let [bad, checked] = [0, 0];
  for await (const { number, bytes } of source.lines()) {
    const value = read(bytes);
    if ('problem' in value) {
      first ??= `Line ${number} of ${source.name} is no ${noun}: ${value.problem}`;
      bad += 1;
    }
    onChecked((checked += 1));
  }
  if (first === undefined) return;
  const others = bad === 1 ? '' : `, and ${bad === 2 ? 'one other is none' : `${bad - 1} others are none`}`;
  throw new CommandError(EXIT_FAILURE, `${first}${others}. Nothing was ${done}.`);
}

export async function* valuesIn<T extends object>(source: LineSource, { noun, read }: Wanted<T>): AsyncGenerator<T> {
  for await (const { number, bytes } of source.lines()) {
    const value = read(bytes);
    if ('problem' in value) {
      throw new BadLineError(EXIT_FAILURE, `Line ${number} of ${source.name} is no ${noun}: ${value.problem}.`);
    }
    yield value;
  }
}
