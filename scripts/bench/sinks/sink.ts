/**
 * The main server of the benchmark: mutual TLS, answers everything at once, in a process of its own. nginx where it can
 * be had, since it costs a quarter of a Node server; otherwise our https server. Both count the requests.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { findProgram, ProgramMissingError, type ProgramRequest } from '../../local/find-redis.js';
import { freePort } from '../../local/free-port.js';
import type { SinkSetup } from './https-sink.js';

export interface Sink {
  /** For the report. */
  readonly kind: string;
  readonly url: string;
  /** Requests of any kind answered so far. */
  requests(): Promise<number>;
  close(): Promise<void>;
}

export interface SinkOptions {
  readonly folder: string;
  readonly certificates: CertificateFiles;
  /** Half of the POSTs are answered with 500. */
  readonly failHalf?: boolean;
  /** May a missing nginx be installed? */
  readonly install: boolean;
  readonly announce: (text: string) => void;
}

const HOST = '127.0.0.1';
const START_TRIES = 200;
const START_LOOK_MS = 25;

const NGINX: ProgramRequest = {
  names: ['nginx'],
  debianPackage: 'nginx-light',
  debianServices: ['nginx'],
  otherwise: {
    linux: 'Install nginx with your package manager.',
    darwin: 'Install nginx with "brew install nginx".',
    win32: 'There is no nginx worth measuring with on Windows.',
  },
};

export async function startSink(options: SinkOptions): Promise<Sink> {
  const { install, announce } = options;
  // Debian keeps daemons where only root's PATH leads
  const path = [process.env['PATH'] ?? '', '/usr/sbin', '/usr/local/sbin'].join(delimiter);
  try {
    const { path: nginx } = await findProgram(NGINX, { install, announce, path });
    return await startNginx(nginx, options);
  } catch (error) {
    if (!(error instanceof ProgramMissingError)) throw error;
    return startHttpsServer(options);
  }
}

async function startNginx(nginx: string, options: SinkOptions): Promise<Sink> {
  const [port, statusPort] = [await freePort(), await freePort()];
  const folder = join(options.folder, `nginx-${port}`);
  await mkdir(folder, { recursive: true });
  const configFile = join(folder, 'nginx.conf');
  await writeFile(configFile, nginxConfig({ ...options, folder }, port, statusPort));
  const child = spawn(nginx, ['-p', folder, '-c', configFile, '-e', join(folder, 'error.log')], { stdio: 'ignore' });
  endWithUs(child);
  const status = `http://${HOST}:${statusPort}/`;
  let asked = 0;
  const requests = async () => {
    const text = await (await fetch(status)).text();
    asked += 1;
    // "server accepts handled requests" and the three numbers on the next line; our own questions are among them
    return Number(/^\s*\d+ \d+ (\d+)/m.exec(text)?.[1]) - asked;
  };
  for (let attempt = 1; ; attempt++) {
    if (
      await requests().then(
        () => true,
        () => false,
      )
    )
      break;
    if (attempt === START_TRIES || child.exitCode !== null) throw new Error(`nginx did not start; see ${folder}`);
    await sleep(START_LOOK_MS);
  }
  return { kind: 'nginx', url: `https://${HOST}:${port}`, requests, close: () => ended(child) };
}

function nginxConfig({ folder, certificates, failHalf }: SinkOptions, port: number, statusPort: number): string {
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
    listen ${HOST}:${port} ssl;
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
    listen ${HOST}:${statusPort};
    location / { stub_status; }
  }
}
`;
}

async function startHttpsServer({ certificates, failHalf = false }: SinkOptions): Promise<Sink> {
  const { caCert, serverCert, serverKey } = certificates;
  const setup: SinkSetup = { caCert, serverCert, serverKey, failHalf };
  const script = join(packageRoot, 'dist', 'scripts', 'bench', 'sinks', 'https-sink.js');
  const child = fork(script, [JSON.stringify(setup)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  endWithUs(child);
  const [port] = (await once(child, 'message')) as [number];
  return {
    kind: 'https server of Node',
    url: `https://${HOST}:${port}`,
    async requests() {
      const answer = once(child, 'message');
      child.send('count');
      return ((await answer) as [number])[0];
    },
    close: () => ended(child),
  };
}

function endWithUs(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
