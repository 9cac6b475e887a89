/** An https server in a process of its own that notes when each message came. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import type { Life } from '../../../src/shared/life.js';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { endWithUs, terminate } from '../../local/child-process.js';
import { answer } from './answer.js';
import type { Arrivals, FromSink, TimedSinkSetup, ToSink } from './timed-sink-process.js';

const SCRIPT = join(packageRoot, 'dist', 'scripts', 'bench', 'sinks', 'timed-sink-process.js');

export class TimedSink implements Life {
  readonly #setup: TimedSinkSetup;
  #child: ChildProcess | undefined;
  #port = 0;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor({ caCert, serverCert, serverKey }: CertificateFiles) {
    this.#setup = { caCert, serverCert, serverKey };
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

  /** Resolves when `count` messages arrived since the last `take`. */
  async arrivals(count: number): Promise<void> {
    await this.#ask({ type: 'await', count }, 'arrived');
  }

  async take(): Promise<Arrivals> {
    return (await this.#ask({ type: 'take' }, 'taken')).arrivals;
  }

  async #launch(): Promise<void> {
    const child = fork(SCRIPT, [JSON.stringify(this.#setup)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    endWithUs(child);
    this.#child = child;
    this.#port = (await answer<FromSink, 'listening'>(child, 'listening')).port;
  }

  async #end(): Promise<void> {
    await this.#starting?.catch(() => undefined); // whoever started it is told
    if (this.#child) await terminate(this.#child);
  }

  #ask<T extends FromSink['type']>(message: ToSink, type: T): Promise<Extract<FromSink, { type: T }>> {
    if (!this.#child) throw new Error('The sink was not started.');
    this.#child.send(message, () => undefined); // a sink that is gone answers nothing, which `answer` reports
    return answer<FromSink, T>(this.#child, type);
  }
}
