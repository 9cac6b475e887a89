/** A real Alertmanager on 127.0.0.1 with the configuration of config/monitoring, and somebody who is woken. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parse, stringify } from 'yaml';
import type { ProgramRequest } from '../../scripts/local/find-program.js';
import { freePort } from '../support/free-port.js';
import { waitFor } from '../support/wait-for.js';
import { monitoringFile } from './monitoring-files.js';

export const ALERTMANAGER: ProgramRequest = {
  names: ['prometheus-alertmanager', 'alertmanager'],
  debianPackage: 'prometheus-alertmanager',
  debianServices: ['prometheus-alertmanager'],
  otherwise: {
    linux: 'Install Alertmanager with your package manager.',
    darwin: 'Install Alertmanager with "brew install alertmanager".',
    win32: 'Unpack Alertmanager for Windows and put its folder on the PATH.',
  },
};

/** Comes in the same package. */
export const AMTOOL: ProgramRequest = { ...ALERTMANAGER, names: ['amtool'] };

type Labels = Readonly<Record<string, string>>;

/** What is sent to a receiver at once. */
export interface Notification {
  readonly receiver: string;
  readonly groupLabels: Labels;
  readonly alerts: readonly { readonly labels: Labels; readonly status: 'firing' | 'resolved' }[];
}

export interface Alertmanager {
  /** Those that have been sent. */
  readonly notifications: readonly Notification[];
  /** Raises them all at once, as Prometheus does. */
  raise(alerts: readonly Labels[]): Promise<void>;
  /** Labels of the alerts with these labels that this receiver hears of now: what is inhibited is not among them. */
  heard(receiver: string, labels: Labels): Promise<readonly Labels[]>;
  stop(): Promise<void>;
}

export async function startAlertmanager(binary: string): Promise<Alertmanager> {
  const directory = await mkdtemp(join(tmpdir(), 'alertmanager-'));
  const notifications: Notification[] = [];
  const receiver = await listen(notifications);
  const port = await freePort();
  await writeFile(join(directory, 'alertmanager.yml'), impatientConfig((receiver.address() as AddressInfo).port));
  const child = spawn(
    binary,
    [
      `--config.file=${join(directory, 'alertmanager.yml')}`,
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
      '--log.level=warn',
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => child.once('error', resolve).once('exit', resolve));
  const killWithUs = () => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const origin = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    process.off('exit', killWithUs);
    receiver.close();
    receiver.closeAllConnections();
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await whenReady(child, origin);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    notifications,
    stop,
    async raise(alerts) {
      const body = JSON.stringify(alerts.map((labels) => ({ labels })));
      const headers = { 'content-type': 'application/json' };
      const { ok, status } = await fetch(`${origin}/api/v2/alerts`, { method: 'POST', headers, body });
      if (!ok) throw new Error(`Alertmanager answered ${status}`);
    },
    async heard(name, labels) {
      const query = new URLSearchParams({ receiver: name, inhibited: 'false' });
      for (const [label, value] of Object.entries(labels)) query.append('filter', `${label}="${value}"`);
      const response = await fetch(`${origin}/api/v2/alerts?${query.toString()}`);
      return ((await response.json()) as { readonly labels: Labels }[]).map((alert) => alert.labels);
    },
  };
}

async function listen(notifications: Notification[]): Promise<Server> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      notifications.push(JSON.parse(body) as Notification);
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

interface AlertmanagerConfig {
  readonly route: object;
  readonly receivers: readonly { readonly name: string }[];
}

/** As it is, but for the address of the receivers and the time for which a group is collected. */
function impatientConfig(port: number): string {
  const config = parse(monitoringFile('alertmanager.yml')) as AlertmanagerConfig;
  const receivers = config.receivers.map(({ name }) => ({
    name,
    webhook_configs: [{ url: `http://127.0.0.1:${port}/${name}` }],
  }));
  return stringify({ ...config, receivers, route: { ...config.route, group_wait: '1s' } });
}

async function whenReady(child: ChildProcess, origin: string): Promise<void> {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const answers = () =>
    fetch(`${origin}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitFor(async () => hasEnded() || (await answers()), { what: 'Alertmanager to be ready' });
  if (hasEnded()) throw new Error('Alertmanager ended');
}
