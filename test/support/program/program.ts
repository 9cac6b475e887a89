/**
 * Runs the built program from outside: real processes, real signals. Every process it starts carries a mark in its
 * environment, so that orphans are found and ended even after their parent was killed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { markedProcesses } from './processes.js';
import { HANGS_MS, waitFor } from '../wait-for.js';

interface ProgramOptions {
  /** Of the command line; default ['start']. */
  readonly args?: readonly string[];
  /** For Node itself. */
  readonly nodeFlags?: readonly string[];
  /** Added to PATH and HOME, which are all it inherits. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a new temporary folder, removed at the end. */
  readonly cwd?: string;
  /** Absolute, or relative to the repository; default dist/supervisor/cli.js. */
  readonly script?: string;
}

export interface Line {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Program {
  readonly pid: number;
  readonly cwd: string;
  readonly lines: readonly Line[];
  /** Undefined while it runs. */
  readonly exit: Exit | undefined;
  /** The first line that matches, past or to come; rejects at the deadline (default HANGS_MS) with the last lines. */
  waitForLine(pattern: RegExp, deadlineMs?: number): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Rejects at the deadline (default HANGS_MS). */
  waitForExit(deadlineMs?: number): Promise<Exit>;
  /** Pids of all living processes that stem from it, itself left out, orphans included. */
  descendants(): number[];
  /** SIGKILL for everything of its own; removes the folder. */
  destroy(): Promise<void>;
}

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const MARK = 'TEST_PROGRAM_MARK';
const started = new Set<Program>();

/** Ends after each test what `startProgram` started. Call it at the top level of the file. */
export function useProgram(): (options?: ProgramOptions) => Program {
  afterEach(async () => {
    await Promise.all([...started].map((program) => program.destroy()));
  });
  return startProgram;
}

export function startProgram(options: ProgramOptions = {}): Program {
  const cwd = options.cwd ?? mkdtempSync(join(tmpdir(), 'program-'));
  const mark = `${MARK}=${randomUUID()}`;
  const child = spawn(
    process.execPath,
    [
      ...(options.nodeFlags ?? []),
      resolve(REPOSITORY, options.script ?? 'dist/supervisor/cli.js'),
      ...(options.args ?? ['start']),
    ],
    {
      cwd,
      env: { PATH: process.env['PATH'], HOME: cwd, ...options.env, [MARK]: mark.slice(MARK.length + 1) },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const program = new RunningProgram(child, mark, { cwd, ownsCwd: options.cwd === undefined });
  started.add(program);
  return program;
}

class RunningProgram implements Program {
  readonly #child: ChildProcess;
  readonly #mark: string;
  readonly #folder: { readonly cwd: string; readonly ownsCwd: boolean };
  readonly lines: Line[] = [];
  exit: Exit | undefined;
  readonly cwd: string;
  #isReadOut = false;

  constructor(child: ChildProcess, mark: string, folder: { readonly cwd: string; readonly ownsCwd: boolean }) {
    this.#child = child;
    this.#mark = mark;
    this.#folder = folder;
    this.cwd = folder.cwd;
    for (const stream of ['stdout', 'stderr'] as const) {
      const readable = child[stream];
      if (readable) createInterface(readable).on('line', (text) => this.lines.push({ stream, text }));
    }
    child.once('error', (error) => this.lines.push({ stream: 'stderr', text: String(error) }));
    // Not 'close' alone: orphans keep the pipes open.
    child.once('exit', (code, signal) => (this.exit = { code, signal }));
    child.once('close', () => (this.#isReadOut = true));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async waitForLine(pattern: RegExp, deadlineMs = HANGS_MS): Promise<string> {
    const find = () => this.lines.find((line) => pattern.test(line.text)) ?? (this.#end() && 'ended');
    const found = await waitFor(find, { what: `a line like ${pattern}`, deadlineMs }).catch(() => 'late' as const);
    if (typeof found !== 'string') return found.text;
    throw new Error(
      `No line like ${pattern} (${found === 'ended' ? 'the program ended' : `${deadlineMs} ms`}):\n${this.#tail()}`,
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async waitForExit(deadlineMs = HANGS_MS): Promise<Exit> {
    return waitFor(() => this.#end(), { what: 'the program to end', deadlineMs }).catch(() => {
      throw new Error(`The program did not end within ${deadlineMs} ms:\n${this.#tail()}`);
    });
  }

  descendants(): number[] {
    return markedProcesses(this.#mark).filter((pid) => pid !== this.pid);
  }

  async destroy(): Promise<void> {
    started.delete(this);
    // Again and again: a primary may fork between our look and our blow.
    await waitFor(() => this.#killAll() === 0, { what: 'the processes of the program to die' });
    if (this.#folder.ownsCwd) rmSync(this.#folder.cwd, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Its exit, once all that it said is in `lines`; orphans may say more. */
  #end(): Exit | undefined {
    return this.exit && (this.#isReadOut || this.descendants().length > 0) ? this.exit : undefined;
  }

  #killAll(): number {
    const pids = markedProcesses(this.#mark);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone by itself
      }
    }
    return pids.length;
  }

  #tail(): string {
    return this.lines
      .slice(-30)
      .map((line) => line.text)
      .join('\n');
  }
}
