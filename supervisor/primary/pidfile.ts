/**
 * One supervisor per instance: `supervisor-<port>.pid` in the runtime folder, holding the pid and nothing else.
 *
 * The file appears with its content in one step (link), so nobody ever reads half of it. A file whose process is gone, or
 * whose number now belongs to another program, is stale: it is moved aside before a new one is linked, so that of two
 * supervisors that find it stale at once only one goes on.
 */
import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import type { Config } from '../../src/shared/config/config.js';
import { BrokerError, reasonOf } from '../../src/shared/errors.js';

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

/** The runtime folder cannot be used. */
export class RuntimeDirError extends BrokerError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('E_RUNTIME_DIR', message, options);
  }
}

export interface Pidfile {
  readonly path: string;
  /** Synchronous and safe to repeat: also called while the process exits. */
  release(): void;
}

export function pidfilePath({ runtimeDir, port }: Config['supervisor']): string {
  return join(runtimeDir, `supervisor-${port}.pid`);
}

/** The pid of the supervisor that serves this instance; undefined when none does. */
export function runningSupervisor(supervisor: Config['supervisor']): number | undefined {
  const pid = readPid(pidfilePath(supervisor));
  return pid !== undefined && isSupervisor(pid) ? pid : undefined;
}

/** Throws AlreadyRunningError or RuntimeDirError. */
export function acquirePidfile(supervisor: Config['supervisor']): Pidfile {
  const path = pidfilePath(supervisor);
  makePrivate(supervisor.runtimeDir);
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, `${process.pid}\n`, { mode: 0o600 });
    if (!tryLink(draft, path)) {
      removeStale(path);
      if (!tryLink(draft, path)) throw new AlreadyRunningError(readPid(path) ?? 0, path);
    }
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    throw new RuntimeDirError(`The pidfile ${path} cannot be written: ${reasonOf(error)}`, { cause: error });
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    path,
    release: () => {
      if (readPid(path) === process.pid) rmSync(path, { force: true });
    },
  };
}

function makePrivate(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (process.getuid === undefined) return; // Windows: the folder inherits its owner's rights
    if (statSync(directory).uid !== process.getuid()) {
      throw new RuntimeDirError(
        `SUPERVISOR_RUNTIME_DIR ${directory} belongs to another user; name a folder of your own.`,
      );
    }
    chmodSync(directory, 0o700);
  } catch (error) {
    if (error instanceof RuntimeDirError) throw error;
    throw new RuntimeDirError(`SUPERVISOR_RUNTIME_DIR ${directory} cannot be used: ${reasonOf(error)}`, {
      cause: error,
    });
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
