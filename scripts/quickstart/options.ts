/** The command line of the quickstart. */
import { Command } from 'commander';
import { readCommandLine, share, wholeNumber, type CommandLine, type Limits } from '../local/command-line.js';

export interface QuickstartOptions {
  readonly messages: number;
  readonly workers: number;
  /** Share of all delivery attempts, 0 to 0.9, that the main server answers with 500. */
  readonly failRate: number;
  /** The main server behaves as the real one was measured to: serial, frozen beyond its pool, registering late. */
  readonly likeOriginal: boolean;
  /** May a missing redis-server be installed? */
  readonly install: boolean;
  /** End when everything is delivered. */
  readonly exit: boolean;
}

/** The main server remembers every request: 100,000 messages are 60 MB here. */
const MESSAGES: Limits = { min: 1, max: 100_000 };
const WORKERS: Limits = { min: 1, max: 32 };
/** At 0.9 a message needs ten attempts, and the last of 1,000 about a hundred. */
const FAIL_RATE: Limits = { min: 0, max: 0.9 };

/** `argv` without the program and its script. */
export function parseCommandLine(argv: readonly string[]): CommandLine<QuickstartOptions> {
  const command = new Command('npm run quickstart --')
    .description('Shows the worker at work: a private Redis, a main server for development, and messages to deliver.')
    .option('--messages <n>', 'messages to enqueue', '1000')
    .option('--workers <n>', 'worker processes', '3')
    .option('--fail-rate <share>', 'share of the deliveries that fail, 0 to 0.9', '0.1')
    .option(
      '--like-original',
      'a main server as slow, as easily frozen and as late to know a message as the real one',
      false,
    )
    .option('--no-install', 'never install a missing redis-server')
    .option('--exit', 'end when all are delivered: 0 if every message is accounted for, 1 if not', false)
    .addHelpText('after', '\nWith REDIS_HOST set, that Redis is used (queue of its own, removed at the end).');
  return readCommandLine(command, argv, (given) => ({
    messages: wholeNumber('--messages', given['messages'], MESSAGES),
    workers: wholeNumber('--workers', given['workers'], WORKERS),
    failRate: share('--fail-rate', given['failRate'], FAIL_RATE),
    likeOriginal: given['likeOriginal'] === true,
    install: given['install'] !== false,
    exit: given['exit'] === true,
  }));
}
