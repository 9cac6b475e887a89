/** What surrounds the program in production: Redis's settings and the Kubernetes manifests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { findRedis } from '../../../scripts/local/find-redis.js';
import { SETTINGS } from '../../../src/shared/config/settings/settings.js';
import { freePort } from '../../support/free-port.js';
import { plainClient } from '../../support/redis.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

describe('redis.conf.example', () => {
  const directory = mkdtempSync(join(tmpdir(), 'redis-conf-'));
  let server: ChildProcess | undefined;
  afterEach(async () => {
    if (server?.exitCode === null) {
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    }
    rmSync(directory, { recursive: true, force: true });
  });

  test('a real Redis takes it, and keeps messages', async () => {
    const { path } = await findRedis({ install: false });
    const port = await freePort();
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
    server = spawn(path, [join(root, 'config/redis.conf.example'), ...own], { stdio: 'ignore' });
    const client = plainClient(port);
    try {
      for (const [name, value] of Object.entries({
        'maxmemory-policy': 'noeviction',
        appendonly: 'yes',
        appendfsync: 'everysec',
        save: '900 1 300 10 60 10000',
        timeout: '0',
      })) {
        expect(await client.config('GET', name)).toEqual([name, value]);
      }
    } finally {
      client.disconnect();
    }
  });
});

describe('kubernetes', () => {
  const manifests = readdirSync(join(root, 'config/kubernetes'))
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => parseAllDocuments(readFileSync(join(root, 'config/kubernetes', name), 'utf8')));
  const objects = manifests.map((document) => document.toJS() as Manifest);
  const ofKind = (kind: string) => objects.find((object) => object.kind === kind);

  test('the manifests are YAML', () => {
    expect(manifests.flatMap(({ errors }) => errors)).toEqual([]);
    expect(objects.map(({ kind }) => kind)).toEqual(['ConfigMap', 'Deployment', 'PodDisruptionBudget', 'PodMonitor']);
  });

  test('settings exist, and ports and times fit them', () => {
    const settings = ofKind('ConfigMap')?.data ?? {};
    const known = SETTINGS.map(({ env }) => env);
    for (const name of Object.keys(settings)) expect(known).toContain(name);
    const pod = ofKind('Deployment')?.spec?.template?.spec;
    const container = pod?.containers[0];
    const port = (name: string) => container?.ports.find((declared) => declared.name === name)?.containerPort;
    expect(port('supervisor')).toBe(defaultOf('SUPERVISOR_PORT'));
    expect(port('metrics')).toBe(defaultOf('WORKER_METRICS_PORT'));
    expect(settings['SUPERVISOR_PORT']).toBe(String(port('supervisor')));
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(defaultOf('WORKER_SHUTDOWN_TIMEOUT') + 5);
    expect(container?.readinessProbe.httpGet).toEqual({ path: '/ready', port: 'supervisor' });
    expect(container?.livenessProbe.httpGet).toEqual({ path: '/health', port: 'supervisor' });
    for (const { name } of container?.env ?? []) expect(known).toContain(name);
  });
});

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Manifest {
  readonly kind: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template?: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly {
          readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
          readonly env: readonly { readonly name: string }[];
          readonly readinessProbe: Probe;
          readonly livenessProbe: Probe;
        }[];
      };
    };
  };
}

function defaultOf(env: string): number {
  return Number(SETTINGS.find((setting) => setting.env === env)?.default);
}
