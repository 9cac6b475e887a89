/** The manners of all command lines here: a help page, one sentence about what is wrong, nothing unknown taken. */
import { CommanderError, type Command } from 'commander';

export type CommandLine<Options> =
  | { readonly kind: 'run'; readonly options: Options }
  /** `--help` is on stdout already. */
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly sentence: string };

/** By their names in camel case; a flag without a value is true. */
export type Given = Readonly<Record<string, string | boolean | undefined>>;

export interface Limits {
  readonly min: number;
  readonly max: number;
}

export const EXIT_USAGE = 2;

/** A value that cannot be used; the message is the sentence. */
export class WrongValueError extends Error {}

/** @param argv without the program and its script */
export function readCommandLine<Options>(
  command: Command,
  argv: readonly string[],
  optionsFrom: (given: Given) => Options,
): CommandLine<Options> {
  command
    .helpOption('--help', 'show this text')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  try {
    return { kind: 'run', options: optionsFrom(command.parse(argv, { from: 'user' }).opts<Given>()) };
  } catch (error) {
    if (error instanceof WrongValueError) return { kind: 'wrong', sentence: error.message };
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'help' };
    return { kind: 'wrong', sentence: `${error.message.replace(/^error: /, '').replace(/\n/g, ' ')}; see --help.` };
  }
}

/** @throws WrongValueError */
export function wholeNumber(flag: string, given: unknown, { min, max }: Limits): number {
  const value = /^\d{1,9}$/.test(String(given)) ? Number(given) : NaN;
  if (value >= min && value <= max) return value;
  throw new WrongValueError(`${flag} is "${String(given)}"; it must be a whole number from ${min} to ${max}.`);
}

/** @throws WrongValueError */
export function share(flag: string, given: unknown, { min, max }: Limits): number {
  const value = /^(\d|\d?\.\d{1,6}|\d\.)$/.test(String(given)) ? Number(given) : NaN;
  if (value >= min && value <= max) return value;
  throw new WrongValueError(`${flag} is "${String(given)}"; it must be a number from ${min} to ${max}.`);
}
