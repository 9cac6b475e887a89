import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { endWithUs, hasEnded, terminate } from '../../local/child-process.js';
import { freePort } from '../../local/free-port.js';
import type { Sink } from './sink.js';

interface NginxSinkOptions {
  /** Path of the program. */
  readonly nginx: string;
  /** For its files; whoever made the folder removes it. */
  readonly folder: string;
  readonly certificates: CertificateFiles;
  readonly failHalf: boolean;
}

interface Ports {
  readonly tls: number;
  /** Where it tells how many requests it took. */
  readonly status: number;
}

const HOST = '127.0.0.1';
const START_TRIES = 200;
const START_LOOK_MS = 25;

export class NginxSink implements Sink {
  readonly kind = 'nginx';
  readonly #options: NginxSinkOptions;
  #ports: Ports = { tls: 0, status: 0 };
  #asked = 0;
  #child: ChildProcess | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: NginxSinkOptions) {
    this.#options = options;
  }

  get url(): string {
    return `https://${HOST}:${this.#ports.tls}`;
  }

  start(): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    return (this.#starting ??= this.#launch());
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#end());
  }

  async requests(): Promise<number> {
    const text = await (await fetch(`http://${HOST}:${this.#ports.status}/`)).text();
    this.#asked += 1;
    // "server accepts handled requests" and the three numbers on the next line; our own questions are among them
    return Number(/^\s*\d+ \d+ (\d+)/m.exec(text)?.[1]) - this.#asked;
  }

  async #launch(): Promise<void> {
    const { nginx, folder: parent } = this.#options;
    this.#ports = { tls: await freePort(), status: await freePort() };
    const folder = join(parent, `nginx-${this.#ports.tls}`);
    await mkdir(folder, { recursive: true });
    const configFile = join(folder, 'nginx.conf');
    await writeFile(configFile, nginxConfig(folder, this.#options, this.#ports));
    const child = spawn(nginx, ['-p', folder, '-c', configFile, '-e', join(folder, 'error.log')], { stdio: 'ignore' });
    child.on('error', () => undefined); // could not be started: it has ended, then
    endWithUs(child);
    this.#child = child;
    for (let attempt = 1; !(await this.#answers()); attempt++) {
      if (attempt === START_TRIES || hasEnded(child)) throw new Error(`nginx did not start; see ${folder}`);
      await sleep(START_LOOK_MS);
    }
  }

  #answers(): Promise<boolean> {
    return this.requests().then(
      () => true,
      () => false,
    );
  }

  async #end(): Promise<void> {
    await this.#starting?.catch(() => undefined); // whoever started it is told
    if (this.#child) await terminate(this.#child);
  }
}

function nginxConfig(folder: string, { certificates, failHalf }: NginxSinkOptions, ports: Ports): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log error;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  default_type application/json;
  split_clients $request_id $failing { ${failHalf ? '50% 1; ' : ''}* 0; }
  server {
    listen ${HOST}:${ports.tls} ssl;
    ssl_certificate ${certificates.serverCert};
    ssl_certificate_key ${certificates.serverKey};
    ssl_client_certificate ${certificates.caCert};
    ssl_verify_client on;
    location = /internal/messages/deliver {
      if ($failing) { return 500 '{"detail":"told to fail"}'; }
      return 200 '{"status":"delivered"}';
    }
    location / { return 200 '{"status":"ok"}'; }
  }
  server {
    listen ${HOST}:${ports.status};
    location / { stub_status; }
  }
}
`;
}
