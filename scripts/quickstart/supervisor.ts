/** The built supervisor as a child process of the quickstart. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import got from 'got';
import { packageRoot } from '../../src/shared/config/package-root.js';
import { BrokerError } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import type { StatusDocument } from '../../supervisor/status/status-document.js';
import { endWith, hasEnded } from '../local/child-process.js';
import type { RunFolder } from './folder.js';

/** The supervisor ended by itself, did not become ready or did not end well; `message` holds its last lines. */
class SupervisorFailedError extends BrokerError {
  constructor(message: string) {
    super('E_SUPERVISOR_FAILED', message);
  }
}

interface DemoSupervisorOptions {
  readonly folder: RunFolder;
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
}

const READY_DEADLINE_MS = 30_000;
/** The workers get 5 s to finish (config.ts), the supervisor the rest. */
const STOP_DEADLINE_MS = 8_000;
const LOOK_EVERY_MS = 50;
/** With those of two workers that notice it: five each. */
const LAST_LINES = 20;
/** What becomes of single messages: thousands of lines that hide why a process ended. */
const DELIVERY_LINE = / - \[worker-\d+\] - .*\bmessage\b/i;

export class DemoSupervisor implements Life {
  readonly #options: DemoSupervisorOptions;
  readonly #output: string;
  #child: ChildProcess | undefined;
  #stopping: Promise<void> | undefined;
  #reported = false;
  /** It has said its status, so it takes signals: before that, SIGTERM just ends it. */
  #answered = false;
  readonly #killWithUs = () => this.#killGroup();

  constructor(options: DemoSupervisorOptions) {
    this.#options = options;
    this.#output = join(options.folder.logs, 'supervisor-output.log');
  }

  /** It leads a group of its own, to which the workers belong. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    if (this.#child || this.#stopping) return;
    const { folder, env } = this.#options;
    const output = openSync(this.#output, 'a', 0o600);
    const cli = join(packageRoot, 'dist', 'supervisor', 'cli.js');
    // A group of its own: Ctrl-C reaches us alone, and we stop it when its turn has come.
    this.#child = spawn(process.execPath, [cli, 'start', '--config', folder.configFile], {
      cwd: folder.path,
      env: { ...env },
      detached: process.platform !== 'win32',
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    this.#child.on('error', () => undefined); // could not be started: there is no pid, and `check` says so
    process.once('exit', this.#killWithUs);
  }

  /** @throws SupervisorFailedError when it has ended although nobody stopped it */
  check(): void {
    if (this.#stopping || !this.#child || !hasEnded(this.#child)) return;
    throw this.#failure(`The supervisor ended by itself (${exitText(this.#child)})`);
  }

  /** Resolves when `workers` take messages. @throws SupervisorFailedError, or what `signal` was aborted with */
  async untilConsuming(workers: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + READY_DEADLINE_MS;
    while ((await this.#consuming()) < workers) {
      signal.throwIfAborted();
      this.check();
      if (performance.now() > deadline)
        throw this.#failure(`The workers were not ready within ${READY_DEADLINE_MS / 1000} s`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Undefined while it does not listen. */
  async status(): Promise<StatusDocument | undefined> {
    const url = `http://127.0.0.1:${this.#options.port}/status`;
    try {
      return await got(url, { timeout: { request: 1_000 }, retry: { limit: 0 } }).json<StatusDocument>();
    } catch {
      return undefined;
    }
  }

  /** Lets it drain. @throws SupervisorFailedError when it did not end well, unless `check` said so before */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#end(this.#child));
  }

  /** While it stops: what is not finished yet is handed back at once. */
  hurry(): void {
    this.#child?.kill('SIGTERM');
  }

  async #end(child: ChildProcess | undefined): Promise<void> {
    if (!child) return;
    const endedByItself = hasEnded(child);
    const killer = setTimeout(() => this.#killGroup(), STOP_DEADLINE_MS);
    await endWith(child, 'SIGTERM');
    clearTimeout(killer);
    this.#killGroup(); // workers that a killed supervisor left behind
    process.off('exit', this.#killWithUs);
    const early = child.signalCode === 'SIGTERM' && !this.#answered;
    if (this.#reported || (!endedByItself && (child.exitCode === 0 || early))) return;
    throw this.#failure(`The supervisor did not end well (${exitText(child)})`);
  }

  async #consuming(): Promise<number> {
    const status = await this.status();
    if (status) this.#answered = true;
    return status?.workers.filter((worker) => worker.consuming).length ?? 0;
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
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      // gone by itself
    }
  }
}

function exitText({ pid, exitCode, signalCode }: ChildProcess): string {
  return pid === undefined ? 'it could not be started' : signalCode ? `by ${signalCode}` : `exit code ${exitCode}`;
}
