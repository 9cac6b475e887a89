import type { Command } from 'commander';

/** What a command may touch of the process it runs in. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** A whole line each. */
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  /** Called once, with the exit code. */
  readonly finish: (exitCode: number) => void;
}

/** Adds one command to the program. Each command is one file that exports one of these. */
export type RegisterCommand = (program: Command, context: CommandContext) => void;
