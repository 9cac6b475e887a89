/** The command line of the quickstart. */
import { Command, CommanderError } from 'commander';

export interface QuickstartOptions {
  readonly messages: number;
  readonly workers: number;
  /** Share of all delivery attempts, 0 to 0.9, that the main server answers with 500. */
  readonly failRate: number;
  /** May a missing redis-server be installed? */
  readonly install: boolean;
  /** End when everything is delivered. */
  readonly exit: boolean;
}

export type CommandLine =
  | { readonly kind: 'run'; readonly options: QuickstartOptions }
  /** `--help` is on stdout already. */
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly sentence: string };

interface Limits {
  readonly min: number;
  readonly max: number;
}

/** The main server remembers every request: 100,000 messages are 60 MB here. */
const MESSAGES: Limits = { min: 1, max: 100_000 };
const WORKERS: Limits = { min: 1, max: 32 };
/** At 0.9 a message needs ten attempts, and the last of 1,000 about a hundred. */
const FAIL_RATE: Limits = { min: 0, max: 0.9 };

class WrongValueError extends Error {}

/** `argv` without the program and its script. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const command = new Command('npm run quickstart --')
    .description('Shows the worker at work: a private Redis, a main server for development, and messages to deliver.')
    .option('--messages <n>', 'messages to enqueue', '1000')
    .option('--workers <n>', 'worker processes', '3')
    .option('--fail-rate <share>', 'share of the deliveries that fail, 0 to 0.9', '0.1')
    .option('--no-install', 'never install a missing redis-server')
    .option('--exit', 'end when all are delivered: 0 if every message is accounted for, 1 if not', false)
    .helpOption('--help', 'show this text')
    .addHelpText('after', '\nWith REDIS_HOST set, that Redis is used (queue of its own, removed at the end).')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  try {
    const given = command.parse(argv, { from: 'user' }).opts<Record<string, string | boolean>>();
    const options: QuickstartOptions = {
      messages: whole('--messages', given['messages'], MESSAGES),
      workers: whole('--workers', given['workers'], WORKERS),
      failRate: share('--fail-rate', given['failRate'], FAIL_RATE),
      install: given['install'] !== false,
      exit: given['exit'] === true,
    };
    return { kind: 'run', options };
  } catch (error) {
    if (error instanceof WrongValueError) return { kind: 'wrong', sentence: error.message };
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'help' };
    return { kind: 'wrong', sentence: `${error.message.replace(/^error: /, '').replace(/\n/g, ' ')}; see --help.` };
  }
}

function whole(flag: string, given: string | boolean | undefined, { min, max }: Limits): number {
  const value = /^\d{1,9}$/.test(String(given)) ? Number(given) : NaN;
  if (value >= min && value <= max) return value;
  throw new WrongValueError(`${flag} is "${String(given)}"; it must be a whole number from ${min} to ${max}.`);
}

function share(flag: string, given: string | boolean | undefined, { min, max }: Limits): number {
  const value = /^(\d|\d?\.\d{1,6}|\d\.)$/.test(String(given)) ? Number(given) : NaN;
  if (value >= min && value <= max) return value;
  throw new WrongValueError(`${flag} is "${String(given)}"; it must be a number from ${min} to ${max}.`);
}
