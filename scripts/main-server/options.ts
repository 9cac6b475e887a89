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

export interface ProgramOptions {
  readonly port: number;
  readonly host: string;
  /** Paths of PEM files; undefined = plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string } | undefined;
  /** What is to go wrong with a delivery. */
  readonly post: { readonly failRate: number; readonly failFirst: number; readonly delayMs: number };
}

const PORT = { min: 0, max: 65_535 };
const ATTEMPTS = { min: 0, max: 1_000_000 };
const DELAY_MS = { min: 0, max: 3_600_000 };
const FAIL_RATE = { min: 0, max: 1 };

/** `argv` without the program and its script. */
export function parseCommandLine(argv: readonly string[]): CommandLine<ProgramOptions> {
  const command = new Command('node dist/scripts/main-server/main.js')
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
    .option('--delay-ms <n>', 'milliseconds until a delivery is answered', '0');
  return readCommandLine(command, argv, optionsFrom);
}

function optionsFrom(given: Given): ProgramOptions {
  return {
    port: wholeNumber('--port', given['port'], PORT),
    host: String(given['host']),
    tls: tlsFrom(given),
    post: {
      failRate: share('--fail-rate', given['failRate'], FAIL_RATE),
      failFirst: wholeNumber('--fail-first', given['failFirst'], ATTEMPTS),
      delayMs: wholeNumber('--delay-ms', given['delayMs'], DELAY_MS),
    },
  };
}

function tlsFrom({ cert, key, ca }: Given): ProgramOptions['tls'] {
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (typeof cert === 'string' && typeof key === 'string' && typeof ca === 'string') return { cert, key, ca };
  throw new WrongValueError('--cert, --key and --ca belong together: give all three for TLS, or none for plain HTTP.');
}
