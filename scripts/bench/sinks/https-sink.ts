import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { endWithUs, firstMessage, terminate } from '../../local/child-process.js';
import type { SinkSetup } from './https-sink-process.js';
import type { Sink } from './sink.js';

interface HttpsSinkOptions {
  readonly certificates: CertificateFiles;
  readonly failHalf: boolean;
}

const SCRIPT = join(packageRoot, 'dist', 'scripts', 'bench', 'sinks', 'https-sink-process.js');

/** Without nginx: a server of Node, which takes four times as much of the machine. */
export class HttpsSink implements Sink {
  readonly kind = 'https server of Node';
  readonly #setup: SinkSetup;
  #child: ChildProcess | undefined;
  #port = 0;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor({ certificates: { caCert, serverCert, serverKey }, failHalf }: HttpsSinkOptions) {
    this.#setup = { caCert, serverCert, serverKey, failHalf };
  }

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

  async requests(): Promise<number> {
    if (!this.#child) throw new Error('The sink was not started.');
    const answer = once(this.#child, 'message');
    this.#child.send('count');
    return ((await answer) as [number])[0];
  }

  async #launch(): Promise<void> {
    const child = fork(SCRIPT, [JSON.stringify(this.#setup)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    endWithUs(child);
    this.#child = child;
    this.#port = await firstMessage<number>(child, 'The https server');
  }

  async #end(): Promise<void> {
    await this.#starting?.catch(() => undefined); // whoever started it is told
    if (this.#child) await terminate(this.#child);
  }
}
