/** The command line of the benchmark. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { packageRoot } from '../../src/shared/config/package-root.js';
import { readCommandLine, wholeNumber, WrongValueError, type CommandLine, type Given } from '../local/command-line.js';

const PARTS = ['throughput', 'latency', 'growth', 'cold', 'failures', 'frozenServer', 'realOrder', 'operator'] as const;
type Part = (typeof PARTS)[number];

export interface BenchOptions {
  readonly parts: Readonly<Record<Part, boolean>>;
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

const DEFAULTS = {
  full: { rounds: 20, messages: 5_000, concurrency: '4,16,64' },
  quick: { rounds: 8, messages: 4_000, concurrency: '16' },
};

const ROUNDS = { min: 1, max: 1_000 };
const MESSAGES = { min: 1, max: 1_000_000 };
const CONCURRENCY = { min: 1, max: 10_000 };

/** `argv` without the program and its script. */
export function parseCommandLine(argv: readonly string[]): CommandLine<BenchOptions> {
  const command = new Command('npm run bench --')
    .description(
      'Measures the worker beside BullMQ and a bare POST loop, in turns, with a private Redis and a mutual-TLS sink. ' +
        'Without one of the parts below, the throughput only.',
    )
    .option('--quick', 'concurrency 16 only, fewer rounds and messages: under a minute', false)
    .option('--rounds <n>', 'rounds (default 20, with --quick 8)')
    .option('--messages <n>', 'messages per round and contender (default 5000, with --quick 4000)')
    .option('--concurrency <list>', 'concurrencies of the throughput (default 4,16,64, with --quick or --profile 16)')
    .option('--latency', 'from LPUSH to the POST: idle, at 100 messages/s, at 70 % of the maximum', false)
    .option('--growth', 'backlog, retries, workers, message sizes and failures', false)
    .option('--cold', 'the first 20,000 messages of a new process, beside BullMQ', false)
    .option(
      '--failures',
      'what a failed attempt costs beside a delivered one, beside BullMQ with a fixed backoff',
      false,
    )
    .option('--frozen-server', 'a serial main server that freezes beyond 30 in flight: 3 × 16 and 3 × 64', false)
    .option('--real-order', 'LPUSH first, registered 20 to 90 ms later: end to end, and POSTs in vain', false)
    .option('--operator', 'find, list, retry, cancel and purge at 1,000,000 messages, with deliveries going on', false)
    .option('--all', 'all of it', false)
    .option('--profile [folder]', 'write a CPU profile per process and print the worker’s top ten')
    .option('--against <folder>', 'another checkout of the product, built, as one more contender: worse or not?')
    .option('--out <folder>', 'where results.json and picture.svg go (default docs/bench; with --quick nowhere)')
    .option('--no-install', 'never install a missing redis-server or nginx');
  return readCommandLine(command, argv, optionsFrom);
}

function optionsFrom(given: Given): BenchOptions {
  const quick = given['quick'] === true;
  const defaults = quick ? DEFAULTS.quick : DEFAULTS.full;
  const concurrency = given['concurrency'] ?? (given['profile'] ? DEFAULTS.quick : defaults).concurrency;
  // a changed number or a profile does not belong beside the measurements of full runs
  const changed = ['quick', 'profile', 'against', 'rounds', 'messages', 'concurrency'].some((name) => given[name]);
  return {
    parts: partsOf(given),
    quick,
    rounds: wholeNumber('--rounds', given['rounds'] ?? defaults.rounds, ROUNDS),
    messages: wholeNumber('--messages', given['messages'] ?? defaults.messages, MESSAGES),
    concurrencies: String(concurrency)
      .split(',')
      .map((one) => wholeNumber('--concurrency', one, CONCURRENCY)),
    out: folder(given['out'] ?? (!changed && resolve(packageRoot, 'docs', 'bench'))),
    profile: folder(given['profile'] === true ? 'profiles' : given['profile']),
    against: checkout(folder(given['against'])),
    install: given['install'] !== false,
  };
}

/** The throughput where nothing else is named. */
function partsOf(given: Given): BenchOptions['parts'] {
  const isWanted = (part: Part) => given['all'] === true || given[part] === true;
  const named = PARTS.some((part) => isWanted(part));
  const entries = PARTS.map((part) => [part, isWanted(part) || (part === 'throughput' && !named)]);
  return Object.fromEntries(entries) as BenchOptions['parts'];
}

function folder(given: string | boolean | undefined): string | undefined {
  return typeof given === 'string' ? resolve(given) : undefined;
}

function checkout(root: string | undefined): string | undefined {
  if (root === undefined || existsSync(join(root, 'dist', 'supervisor', 'cli.js'))) return root;
  throw new WrongValueError(`--against is "${root}", which holds no built checkout (dist/supervisor/cli.js).`);
}
