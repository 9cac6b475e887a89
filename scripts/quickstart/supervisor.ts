/** The built supervisor as a child process of the quickstart. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import got from 'got';
import { packageRoot } from '../../src/shared/config/package-root.js';
import { BrokerError } from '../../src/shared/errors.js';
import type { StatusDocument } from '../../supervisor/status/status-document.js';
import type { RunFolder } from './folder.js';

/** The supervisor ended by itself, did not become ready or did not end well; `message` holds its last lines. */
export class SupervisorFailedError extends BrokerError {
  constructor(message: string) {
    super('E_SUPERVISOR_FAILED', message);
  }
}

export interface SupervisorLaunch {
  readonly folder: RunFolder;
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
}

const READY_DEADLINE_MS = 30_000;
/** The workers get 5 s to finish (stack.ts), the supervisor the rest. */
const STOP_DEADLINE_MS = 8_000;
const LAST_LINES = 12;
/** What becomes of single messages: thousands of lines that hide why a process ended. */
const DELIVERY_LINE = / - \[worker-\d+\] - .*\bmessage\b/i;

export class DemoSupervisor {
  readonly #launch: SupervisorLaunch;
  readonly #child: ChildProcess;
  readonly #output: string;
  #stopping = false;
  #reported = false;
  /** It has said its status, so it takes signals: before that, SIGTERM just ends it. */
  #answered = false;
  readonly #killWithUs = () => this.#killGroup();

  constructor(launch: SupervisorLaunch) {
    this.#launch = launch;
    const { folder } = launch;
    this.#output = join(folder.logs, 'supervisor-output.log');
    const output = openSync(this.#output, 'a', 0o600);
    const cli = join(packageRoot, 'dist', 'supervisor', 'cli.js');
    // A group of its own: Ctrl-C reaches us alone, and we stop it when its turn has come.
    this.#child = spawn(process.execPath, [cli, 'start', '--config', folder.configFile], {
      cwd: folder.path,
      env: { ...launch.env },
      detached: process.platform !== 'win32',
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    this.#child.on('error', () => undefined); // could not be started: there is no pid, and `check` says so
    process.once('exit', this.#killWithUs);
  }

  /** @throws SupervisorFailedError when it has ended although nobody stopped it */
  check(): void {
    if (this.#stopping || !this.#hasEnded()) return;
    throw this.#failure(`The supervisor ended by itself (${this.#exitText()})`);
  }

  /** Resolves when `workers` take messages. @throws SupervisorFailedError, or what `signal` was aborted with */
  async untilConsuming(workers: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + READY_DEADLINE_MS;
    while ((await this.#consuming()) < workers) {
      signal.throwIfAborted();
      this.check();
      if (performance.now() > deadline)
        throw this.#failure(`The workers were not ready within ${READY_DEADLINE_MS / 1000} s`);
      await sleep(50);
    }
  }

  /** Lets it drain. @throws SupervisorFailedError when it did not end well, unless `check` said so before */
  async stop(): Promise<void> {
    const endedByItself = this.#hasEnded();
    if (!endedByItself) await this.#terminate();
    this.#killGroup(); // workers that a killed supervisor left behind
    process.off('exit', this.#killWithUs);
    const { exitCode, signalCode } = this.#child;
    const early = signalCode === 'SIGTERM' && !this.#answered;
    if (this.#reported || (!endedByItself && (exitCode === 0 || early))) return;
    throw this.#failure(`The supervisor did not end well (${this.#exitText()})`);
  }

  /** While it stops: what is not finished yet is handed back at once. */
  hurry(): void {
    this.#child.kill('SIGTERM');
  }

  async #terminate(): Promise<void> {
    this.#stopping = true;
    const ended = once(this.#child, 'exit');
    const killer = setTimeout(() => this.#killGroup(), STOP_DEADLINE_MS);
    this.#child.kill('SIGTERM');
    await ended;
    clearTimeout(killer);
  }

  async #consuming(): Promise<number> {
    try {
      const url = `http://127.0.0.1:${this.#launch.port}/status`;
      const status = await got(url, { timeout: { request: 1_000 }, retry: { limit: 0 } }).json<StatusDocument>();
      this.#answered = true;
      return status.workers.filter((worker) => worker.consuming).length;
    } catch {
      return 0; // not listening yet
    }
  }

  #hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #exitText(): string {
    const { pid, exitCode, signalCode } = this.#child;
    return pid === undefined ? 'it could not be started' : signalCode ? `by ${signalCode}` : `exit code ${exitCode}`;
  }

  #failure(what: string): SupervisorFailedError {
    this.#reported = true;
    const all = readFileSync(this.#output, 'utf8').trimEnd().split('\n');
    const telling = all.filter((line) => !DELIVERY_LINE.test(line));
    const lines = telling.slice(-LAST_LINES);
    return new SupervisorFailedError([`${what}. Its last lines:`, ...lines.map((line) => `  ${line}`)].join('\n'));
  }

  /** The workers too: they have our group. */
  #killGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      // gone by itself
    }
  }
}
