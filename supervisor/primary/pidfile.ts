/**
 * One supervisor per instance: `supervisor-<port>.pid` in the runtime folder, holding the pid and nothing else.
 *
 * The file appears with its content in one step (link), so nobody ever reads half of it. A file whose process is gone, or
 * whose number now belongs to another program, is stale: it is moved aside before a new one is linked, so that of two
 * supervisors that find it stale at once only one goes on.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import type { Config } from '../../src/shared/config/config.js';
import { BrokerError, reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import { makePrivate, RuntimeDirError } from '../admin/runtime-folder.js';

/** Another supervisor serves this instance already. */
export class AlreadyRunningError extends BrokerError {
  constructor(
    readonly pid: number,
    path: string,
  ) {
    super(
      'E_ALREADY_RUNNING',
      `A supervisor is running already (pid ${pid}, ${path}). Stop it first, or give this one another SUPERVISOR_PORT.`,
    );
  }
}

export class Pidfile implements Life {
  readonly path: string;
  readonly #folder: string;
  #held = false;
  #stopped = false;

  constructor({ runtimeDir, port }: Pick<Config['supervisor'], 'runtimeDir' | 'port'>) {
    this.#folder = runtimeDir;
    this.path = join(runtimeDir, `supervisor-${port}.pid`);
  }

  /** Rejects with AlreadyRunningError or RuntimeDirError. */
  async start(): Promise<void> {
    if (this.#stopped || this.#held) return;
    makePrivate(this.#folder);
    try {
      this.#link();
      this.#held = true;
    } catch (error) {
      if (error instanceof BrokerError) throw error;
      throw new RuntimeDirError(`The pidfile ${this.path} cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }

  async stop(): Promise<void> {
    this.release();
  }

  /** As `stop`; synchronous, because it is also called while the process exits. */
  release(): void {
    this.#stopped = true;
    if (this.#held && readPid(this.path) === process.pid) rmSync(this.path, { force: true });
    this.#held = false;
  }

  #link(): void {
    const draft = `${this.path}.${process.pid}`;
    try {
      writeFileSync(draft, `${process.pid}\n`, { mode: 0o600 });
      if (tryLink(draft, this.path)) return;
      removeStale(this.path);
      if (!tryLink(draft, this.path)) throw new AlreadyRunningError(readPid(this.path) ?? 0, this.path);
    } finally {
      rmSync(draft, { force: true });
    }
  }
}

function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Throws AlreadyRunningError when it is not stale after all. */
function removeStale(path: string): void {
  const pid = readPid(path);
  if (pid !== undefined && isSupervisor(pid)) throw new AlreadyRunningError(pid, path);
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = readPid(aside);
  // Another supervisor replaced the stale file between our look and our rename: it has its file back.
  if (moved !== pid && moved !== undefined) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Alive, and started as we were; where /proc cannot be read, being alive has to do. */
function isSupervisor(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  let commandLine: string;
  try {
    commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return true;
  }
  const names = new Set(['message-broker-worker', 'cli.js', basename(process.argv[1] ?? '')]);
  return commandLine.split('\0').some((word) => names.has(basename(word)));
}
