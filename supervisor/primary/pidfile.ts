/**
 * One supervisor per instance: `supervisor-<port>.pid` in the runtime folder, holding the pid and nothing else.
 *
 * It tells who runs; that nobody else does is known otherwise (instance-lock.ts). The file appears with its content in one
 * step, so nobody ever reads half of it. One that is there although nobody runs is stale: it is moved aside before a new one
 * is linked, so that of two supervisors that find it stale at once only one goes on. One that vanishes is made again.
 */
import { linkSync, lstatSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Config } from '../../src/shared/config/config.js';
import { BrokerError, reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { makePrivate, RuntimeDirError } from '../admin/runtime-folder.js';
import { controlSocketPath } from '../admin/socket-path.js';
import { isRunning } from '../workers/process/process-running.js';
import { InstanceLock, whoAnswers } from './instance-lock.js';

/** Another supervisor serves this instance already. */
export class AlreadyRunningError extends BrokerError {
  constructor(
    /** Undefined = it does not say. */
    readonly pid: number | undefined,
    path: string,
  ) {
    super(
      'E_ALREADY_RUNNING',
      `A supervisor is running already (pid ${pid ?? 'unknown, since it does not answer'}, ${path}). Stop it first, or give this one another SUPERVISOR_PORT.`,
    );
  }
}

/** From the pidfile to the control socket. */
const STARTS_MS = 10_000;

export class Pidfile implements Life {
  readonly path: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #lock = new InstanceLock();
  #held = false;
  #stopped = false;

  constructor({ runtimeDir, port }: Pick<Config['supervisor'], 'runtimeDir' | 'port'>) {
    this.#folder = runtimeDir;
    this.#port = port;
    this.path = join(runtimeDir, `supervisor-${port}.pid`);
  }

  /** Rejects with AlreadyRunningError or RuntimeDirError. */
  async start(): Promise<void> {
    if (this.#stopped || this.#held) return;
    makePrivate(this.#folder);
    try {
      await this.#beTheOnlyOne();
      this.#link();
      this.#held = true;
    } catch (error) {
      this.#lock.release();
      if (error instanceof BrokerError) throw error;
      throw new RuntimeDirError(`The pidfile ${this.path} cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** Makes it again when it is not as we made it; says whether it had to. Throws RuntimeDirError. */
  restore(): boolean {
    if (!this.#held || isOurs(this.path)) return false;
    makePrivate(this.#folder);
    const draft = `${this.path}.${process.pid}`;
    try {
      writeFileSync(draft, `${process.pid}\n`, { mode: 0o600 });
      renameSync(draft, this.path);
      return true;
    } catch (error) {
      throw new RuntimeDirError(`The pidfile ${this.path} cannot be made again: ${reasonOf(error)}`, { cause: error });
    } finally {
      rmSync(draft, { force: true });
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
    this.#lock.release();
  }

  async #beTheOnlyOne(): Promise<void> {
    const socketPath = controlSocketPath({ runtimeDir: this.#folder, port: this.#port });
    const other = (await this.#lock.take(this.#folder, this.#port)) ?? (await whoAnswers(socketPath));
    if (other === undefined) return;
    throw new AlreadyRunningError(other === 'silent' ? readPid(this.path) : other, this.path);
  }

  #link(): void {
    const draft = `${this.path}.${process.pid}`;
    try {
      writeFileSync(draft, `${process.pid}\n`, { mode: 0o600 });
      if (tryLink(draft, this.path)) return;
      removeStale(this.path);
      if (!tryLink(draft, this.path)) throw new AlreadyRunningError(readPid(this.path), this.path);
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
  if (pid !== undefined && isJustStarting(pid, path)) throw new AlreadyRunningError(pid, path);
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

function isOurs(path: string): boolean {
  try {
    return lstatSync(path).isFile() && readPid(path) === process.pid;
  } catch {
    return false;
  }
}

/** Where there is no lock: it has its pidfile, and its control socket does not answer yet. */
function isJustStarting(pid: number, path: string): boolean {
  if (InstanceLock.isPossible || pid === process.pid || !isRunning(pid)) return false;
  return systemClock.wallNow() - statSync(path).mtimeMs < STARTS_MS;
}
