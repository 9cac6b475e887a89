/** The main server that behaves as the real one: serial, with a pool that freezes, late to know a message. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import type { Life } from '../../../src/shared/life.js';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { endWithUs, terminate } from '../../local/child-process.js';
import type { Faults } from '../../main-server/faults.js';
import { answer } from './answer.js';
import type { Account, FromOriginal, OriginalSetup, ToOriginal } from './original-sink-process.js';

const SCRIPT = join(packageRoot, 'dist', 'scripts', 'bench', 'sinks', 'original-sink-process.js');

export class OriginalSink implements Life {
  readonly #setup: OriginalSetup;
  #child: ChildProcess | undefined;
  #port = 0;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor({ caCert, serverCert, serverKey }: CertificateFiles, manners: Partial<Faults>, delayMs = 0) {
    this.#setup = { caCert, serverCert, serverKey, manners, delayMs };
  }

  /** Known once it is started. */
  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  start(): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    return (this.#starting ??= this.#launch());
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#end());
  }

  /** They are put into the queue now; they are registered later. */
  enqueued(ids: readonly string[]): void {
    this.#send({ type: 'enqueued', ids });
  }

  /** Messages that were answered with 2xx since the last `take`. */
  async delivered(): Promise<number> {
    this.#send({ type: 'count' });
    return (await this.#answer('counted')).delivered;
  }

  async take(): Promise<Account> {
    this.#send({ type: 'take' });
    return (await this.#answer('taken')).account;
  }

  async #launch(): Promise<void> {
    const child = fork(SCRIPT, [JSON.stringify(this.#setup)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    endWithUs(child);
    this.#child = child;
    this.#port = (await this.#answer('listening')).port;
  }

  async #end(): Promise<void> {
    await this.#starting?.catch(() => undefined); // whoever started it is told
    if (this.#child) await terminate(this.#child);
  }

  #send(message: ToOriginal): void {
    this.#started.send(message, () => undefined); // a sink that is gone answers nothing, which `answer` reports
  }

  #answer<T extends FromOriginal['type']>(type: T): Promise<Extract<FromOriginal, { type: T }>> {
    return answer<FromOriginal, T>(this.#started, type);
  }

  get #started(): ChildProcess {
    if (!this.#child) throw new Error('The sink was not started.');
    return this.#child;
  }
}
