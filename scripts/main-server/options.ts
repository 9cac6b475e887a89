/** The command line of the development main server. */
import { Command } from 'commander';
import {
  readCommandLine,
  share,
  wholeNumber,
  WrongValueError,
  type CommandLine,
  type Given,
} from '../local/command-line.js';
import { LIKE_ORIGINAL, noFaults, type Faults } from './faults.js';

export interface ProgramOptions {
  readonly port: number;
  readonly host: string;
  /** Paths of PEM files; undefined = plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string } | undefined;
  /** What is to go wrong with a delivery. */
  readonly post: { readonly failRate: number; readonly failFirst: number; readonly delayMs: number };
  /** How the server as a whole behaves. */
  readonly manners: Manners;
}

export type Manners = Readonly<
  Pick<
    Faults,
    | 'serialMs'
    | 'poolSize'
    | 'freezeMs'
    | 'unknownForMs'
    | 'unknownSpreadMs'
    | 'maxPerSecond'
    | 'retryAfterS'
    | 'outageEveryMs'
    | 'outageForMs'
    | 'slowStartMs'
  >
>;

const PORT = { min: 0, max: 65_535 };
const ATTEMPTS = { min: 0, max: 1_000_000 };
const MS = { min: 0, max: 3_600_000 };
const SECONDS = { min: 0, max: 86_400 };
const FAIL_RATE = { min: 0, max: 1 };

/** `argv` without the program and its script. */
export function parseCommandLine(argv: readonly string[]): CommandLine<ProgramOptions> {
  return readCommandLine(commandLine(), argv, optionsFrom);
}

function commandLine(): Command {
  return new Command('node dist/scripts/main-server/main.js')
    .description(
      'A main server for development: takes deliveries and status updates as the real one does, over TLS that ' +
        'requires a client certificate, or over plain HTTP without --cert, --key and --ca. Ctrl-C ends it.',
    )
    .option('--port <n>', 'TCP port, 0 = any free one', '0')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--cert <file>', 'PEM file of its certificate')
    .option('--key <file>', 'PEM file of its private key')
    .option('--ca <file>', 'PEM file of the authority that client certificates must be signed by')
    .option('--fail-rate <share>', 'share of the deliveries that are answered 503, 0 to 1', '0')
    .option(
      '--fail-first <n>',
      'the first deliveries of each message that are answered 503 (remembers all messages)',
      '0',
    )
    .option('--delay-ms <n>', 'milliseconds until a delivery is answered', '0')
    .option('--like-original', likeOriginalText(), false)
    .option('--serial-ms <n>', 'work on one request at a time, so long on each')
    .option('--pool <n>', 'freeze when there are more requests than that in flight')
    .option('--freeze-ms <n>', 'for each of them so long, in which nothing is answered (default 30000)')
    .option('--register-late <ms>', 'answer 404 so long after a message was first seen, as in 50, or 20-90 by chance')
    .option('--max-per-second <n>', 'answer 429 with Retry-After to more deliveries in a second than that')
    .option('--retry-after <s>', 'what a 429, and a 503 of --fail-rate and --fail-first, says in Retry-After')
    .option('--outage-every <s>', 'be away at the end of each such stretch of time: 503 with Retry-After to everything')
    .option('--outage-for <s>', 'and so long (default 10)')
    .option('--slow-start-ms <n>', 'after an outage take five times as long at first, less and less for so long');
}

function likeOriginalText(): string {
  const { serialMs, poolSize, unknownForMs: from, unknownSpreadMs } = LIKE_ORIGINAL;
  const late = `${from}-${from + unknownSpreadMs}`;
  return `as the real one was measured: --serial-ms ${serialMs} --pool ${poolSize} --register-late ${late}`;
}

function optionsFrom(given: Given): ProgramOptions {
  return {
    port: wholeNumber('--port', given['port'], PORT),
    host: String(given['host']),
    tls: tlsFrom(given),
    post: {
      failRate: share('--fail-rate', given['failRate'], FAIL_RATE),
      failFirst: wholeNumber('--fail-first', given['failFirst'], ATTEMPTS),
      delayMs: wholeNumber('--delay-ms', given['delayMs'], MS),
    },
    manners: mannersFrom(given),
  };
}

function mannersFrom(given: Given): Manners {
  const preset = { ...noFaults(), ...(given['likeOriginal'] === true ? LIKE_ORIGINAL : {}) };
  const number = (flag: string, value: Given[string], otherwise: number, limits = MS) =>
    value === undefined ? otherwise : wholeNumber(flag, value, limits);
  const outageEveryMs = 1_000 * number('--outage-every', given['outageEvery'], 0, SECONDS);
  return {
    serialMs: number('--serial-ms', given['serialMs'], preset.serialMs),
    poolSize: number('--pool', given['pool'], preset.poolSize),
    freezeMs: number('--freeze-ms', given['freezeMs'], preset.freezeMs),
    ...(given['registerLate'] === undefined
      ? { unknownForMs: preset.unknownForMs, unknownSpreadMs: preset.unknownSpreadMs }
      : lateness(given['registerLate'])),
    maxPerSecond: number('--max-per-second', given['maxPerSecond'], 0),
    retryAfterS: number('--retry-after', given['retryAfter'], 0, SECONDS),
    outageEveryMs,
    outageForMs: outageEveryMs === 0 ? 0 : 1_000 * number('--outage-for', given['outageFor'], 10, SECONDS),
    slowStartMs: number('--slow-start-ms', given['slowStartMs'], 0),
  };
}

/** `50`, or `20-90`. */
function lateness(given: unknown): Pick<Manners, 'unknownForMs' | 'unknownSpreadMs'> {
  const [, from, to = from] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(String(given)) ?? [];
  const [unknownForMs, mostMs] = [Number(from), Number(to)];
  if (mostMs >= unknownForMs) return { unknownForMs, unknownSpreadMs: mostMs - unknownForMs };
  throw new WrongValueError(
    `--register-late is "${String(given)}"; give milliseconds, as in 50, or from the least to the most, as in 20-90.`,
  );
}

function tlsFrom({ cert, key, ca }: Given): ProgramOptions['tls'] {
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (typeof cert === 'string' && typeof key === 'string' && typeof ca === 'string') return { cert, key, ca };
  throw new WrongValueError('--cert, --key and --ca belong together: give all three for TLS, or none for plain HTTP.');
}
