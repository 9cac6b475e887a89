/** A real Prometheus on 127.0.0.1 with a data folder of its own, and its query API. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProgramRequest } from '../../scripts/local/find-program.js';
import { freePort } from '../support/free-port.js';
import { waitFor } from '../support/wait-for.js';

export const PROMETHEUS: ProgramRequest = {
  names: ['prometheus'],
  debianPackage: 'prometheus',
  debianServices: ['prometheus'],
  otherwise: {
    linux: 'Install Prometheus with your package manager.',
    darwin: 'Install Prometheus with "brew install prometheus".',
    win32: 'Unpack Prometheus for Windows and put its folder on the PATH.',
  },
};

/** Comes in the same package. */
export const PROMTOOL: ProgramRequest = { ...PROMETHEUS, names: ['promtool'] };

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus {
  query(expression: string): Promise<readonly Sample[]>;
  alerts(): Promise<readonly Alert[]>;
  stop(): Promise<void>;
}

/** @param files name → content, written to its folder; one of them is prometheus.yml. */
export async function startPrometheus(binary: string, files: Readonly<Record<string, string>>): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'prometheus-'));
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(directory, name), content)));
  const port = await freePort();
  const child = spawn(
    binary,
    [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const killWithUs = () => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const stop = async () => {
    await end(child);
    process.off('exit', killWithUs);
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await whenReady(child, port);
  } catch (error) {
    await stop();
    throw error;
  }
  const ask = (path: string) => get(`http://127.0.0.1:${port}/api/v1/${path}`);
  return {
    stop,
    async query(expression) {
      const data = (await ask(`query?query=${encodeURIComponent(expression)}`)) as {
        readonly result: readonly {
          readonly metric: Record<string, string>;
          readonly value: readonly [number, string];
        }[];
      };
      return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    alerts: async () => ((await ask('alerts')) as { readonly alerts: readonly Alert[] }).alerts,
  };
}

async function whenReady(child: ChildProcess, port: number): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-4_096)));
  child.once('error', (error) => (said += String(error)));
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  const found = await waitFor(async () => hasEnded(child) || (await answers()), {
    what: 'Prometheus to be ready',
  }).catch(() => false);
  if (!found || hasEnded(child)) throw new Error(`Prometheus did not get ready: ${said}`);
}

async function get(url: string): Promise<unknown> {
  const response = await fetch(url);
  const answer = (await response.json()) as {
    readonly status: string;
    readonly error?: string;
    readonly data: unknown;
  };
  if (answer.status !== 'success') throw new Error(`${url}: ${answer.error ?? response.status}`);
  return answer.data;
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL'); // its data goes with it
  await exited;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}
