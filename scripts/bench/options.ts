/** The command line of the benchmark. */
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../../src/shared/config/package-root.js';

export interface BenchOptions {
  readonly parts: { readonly throughput: boolean; readonly latency: boolean; readonly growth: boolean };
  readonly quick: boolean;
  readonly rounds: number;
  readonly messages: number;
  /** Of the throughput. */
  readonly concurrencies: readonly number[];
  /** Where results.json and picture.svg go; undefined = nowhere. */
  readonly out: string | undefined;
  /** Where CPU profiles go. */
  readonly profile: string | undefined;
  /** Another built checkout of the product. */
  readonly against: string | undefined;
  readonly install: boolean;
}

export type CommandLine =
  | { readonly kind: 'run'; readonly options: BenchOptions }
  /** `--help` is on stdout already. */
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly sentence: string };

const DEFAULTS = {
  full: { rounds: 20, messages: 5_000, concurrency: '4,16,64' },
  quick: { rounds: 8, messages: 4_000, concurrency: '16' },
};

class WrongValueError extends Error {}

/** `argv` without the program and its script. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const command = new Command('npm run bench --')
    .description(
      'Measures the worker beside BullMQ and a bare POST loop, in turns, with a private Redis and a mutual-TLS sink. ' +
        'Without --latency or --growth, the throughput only.',
    )
    .option('--quick', 'concurrency 16 only, fewer rounds and messages: under a minute', false)
    .option('--rounds <n>', 'rounds (default 20, with --quick 8)')
    .option('--messages <n>', 'messages per round and contender (default 5000, with --quick 4000)')
    .option('--concurrency <list>', 'concurrencies of the throughput (default 4,16,64, with --quick or --profile 16)')
    .option('--latency', 'from LPUSH to the POST: idle, at 100 messages/s, at 70 % of the maximum', false)
    .option('--growth', 'backlog, retries, workers, message sizes and failures', false)
    .option('--all', 'throughput, latency and growth', false)
    .option('--profile [folder]', 'write a CPU profile per process and print the worker’s top ten')
    .option('--against <folder>', 'another checkout of the product, built, as one more contender')
    .option('--out <folder>', 'where results.json and picture.svg go (default docs/bench; with --quick nowhere)')
    .option('--no-install', 'never install a missing redis-server or nginx')
    .helpOption('--help', 'show this text')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  try {
    const given = command.parse(argv, { from: 'user' }).opts<Record<string, string | boolean | undefined>>();
    return { kind: 'run', options: optionsFrom(given) };
  } catch (error) {
    if (error instanceof WrongValueError) return { kind: 'wrong', sentence: error.message };
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'help' };
    return { kind: 'wrong', sentence: `${error.message.replace(/^error: /, '').replace(/\n/g, ' ')}; see --help.` };
  }
}

function optionsFrom(given: Readonly<Record<string, string | boolean | undefined>>): BenchOptions {
  const quick = given['quick'] === true;
  const all = given['all'] === true;
  const latency = all || given['latency'] === true;
  const growth = all || given['growth'] === true;
  const defaults = quick ? DEFAULTS.quick : DEFAULTS.full;
  const concurrency = given['concurrency'] ?? (given['profile'] ? DEFAULTS.quick : defaults).concurrency;
  // a changed number or a profile does not belong beside the measurements of full runs
  const changed = ['quick', 'profile', 'against', 'rounds', 'messages', 'concurrency'].some((name) => given[name]);
  return {
    parts: { throughput: all || !(latency || growth), latency, growth },
    quick,
    rounds: whole('--rounds', given['rounds'] ?? defaults.rounds, 1_000),
    messages: whole('--messages', given['messages'] ?? defaults.messages, 1_000_000),
    concurrencies: String(concurrency)
      .split(',')
      .map((one) => whole('--concurrency', one, 10_000)),
    out: folder(given['out'] ?? (!changed && resolve(packageRoot, 'docs', 'bench'))),
    profile: folder(given['profile'] === true ? 'profiles' : given['profile']),
    against: folder(given['against']),
    install: given['install'] !== false,
  };
}

function folder(given: string | boolean | undefined): string | undefined {
  return typeof given === 'string' ? resolve(given) : undefined;
}

function whole(flag: string, given: string | number | boolean, max: number): number {
  const value = /^\d{1,9}$/.test(String(given)) ? Number(given) : NaN;
  if (value >= 1 && value <= max) return value;
  throw new WrongValueError(`${flag} is "${String(given)}"; it must be a whole number from 1 to ${max}.`);
}
