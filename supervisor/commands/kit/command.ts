import type { Command } from 'commander';

import { harmlessJson } from '../../../src/shared/words/escape.js';
import { BrokerError } from '../../../src/shared/errors.js';
import { EXIT_USAGE } from './exit-codes.js';

/** What a command may touch of the process it runs in. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** A whole line each. */
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  /** Only commands that read or draw use the streams themselves. */
  readonly streams: Streams;
  /** Called once, with the exit code. */
  readonly finish: (exitCode: number) => void;
}

export interface Streams {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Adds one command to the program. Each command is one file that exports one of these. */
export type RegisterCommand = (program: Command, context: CommandContext) => void;

/** Ends a command: `message` is its line on stderr. */
export class CommandError extends BrokerError {
  constructor(
    readonly exitCode: number,
    message: string,
    options?: { cause?: unknown },
  ) {
    super('E_COMMAND', message, options);
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(EXIT_USAGE, message);
}

export function printJson(context: CommandContext, value: unknown): void {
  context.print(harmlessJson(JSON.stringify(value, null, 2)));
}
