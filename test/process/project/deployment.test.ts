/** What surrounds the program in production: Redis's settings and the Kubernetes manifests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { findRedis } from '../../../scripts/local/find-redis.js';
import { SETTINGS } from '../../../src/shared/config/settings/settings.js';
import { freePort } from '../../support/free-port.js';
import { plainClient } from '../../support/redis/redis.js';

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

// The pod itself runs in pod.timed.test.ts.
describe('kubernetes', () => {
  const manifests = readdirSync(join(root, 'config/kubernetes'))
    .filter((name) => name.endsWith('.yaml'))
    // Kubernetes reads YAML 1.1: 0400 is octal.
    .flatMap((name) =>
      parseAllDocuments(readFileSync(join(root, 'config/kubernetes', name), 'utf8'), { version: '1.1' }),
    );
  const objects = manifests.map((document) => document.toJS() as Manifest);
  const specOf = (kind: string) => objects.find((object) => object.kind === kind)?.spec;
  const settings = objects.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
  const pod = specOf('Deployment')?.template?.spec;
  const container = pod?.containers[0];

  test('the manifests are YAML', () => {
    expect(manifests.flatMap(({ errors }) => errors)).toEqual([]);
    expect(objects.map(({ kind }) => kind)).toEqual([
      'ConfigMap',
      'Deployment',
      'PodDisruptionBudget',
      'NetworkPolicy',
      'PodMonitor',
    ]);
  });

  test('settings exist, and ports and times fit them', () => {
    const known = SETTINGS.map(({ env }) => env);
    for (const name of Object.keys(settings)) expect(known).toContain(name);
    for (const { name } of container?.env ?? []) expect(known).toContain(name);
    expect(container?.ports).toEqual([{ name: 'supervisor', containerPort: defaultOf('SUPERVISOR_PORT') }]);
    expect(settings['SUPERVISOR_PORT']).toBe(String(defaultOf('SUPERVISOR_PORT')));
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(defaultOf('WORKER_SHUTDOWN_TIMEOUT') + 5);
    expect(container?.readinessProbe.httpGet).toEqual({ path: '/ready', port: 'supervisor' });
    expect(container?.livenessProbe.httpGet).toEqual({ path: '/health', port: 'supervisor' });
  });

  test('the pod has no privilege, no key to the cluster and nothing to write to but its own volumes', () => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const name of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod).not.toHaveProperty(name);
    expect(container?.securityContext).toEqual({
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    for (const volume of pod?.volumes ?? []) {
      const readable = { secret: { defaultMode: 0o400 } };
      expect(volume).toMatchObject(
        volume.emptyDir ? { emptyDir: { sizeLimit: expect.any(String) as string } } : readable,
      );
    }
    const mounts = container?.volumeMounts.map(({ mountPath }) => mountPath) ?? [];
    expect(mounts).toContain(settings['LOG_FILE_PATH']);
    // The top of an emptyDir belongs to root, and the supervisor insists on a folder of its own.
    expect(mounts).toContain(dirname(settings['SUPERVISOR_RUNTIME_DIR'] ?? ''));
  });

  test('it listens where probes and scrapes arrive, and talks to nobody but DNS, Redis and the main server', () => {
    expect(settings).not.toHaveProperty('SUPERVISOR_HOST');
    expect(container?.env).toContainEqual({
      name: 'SUPERVISOR_HOST',
      valueFrom: { fieldRef: { fieldPath: 'status.podIP' } },
    });
    expect(settings['WORKER_METRICS_HOST']).toBe('127.0.0.1');
    const policy = specOf('NetworkPolicy');
    expect(policy?.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(policy?.ingress?.map(({ from, ports }) => [from.length, ports])).toEqual([
      [1, [{ protocol: 'TCP', port: 'supervisor' }]],
    ]);
    expect(policy?.egress?.map(({ ports }) => ports.map(({ port }) => port))).toEqual([
      [53, 53],
      [Number(settings['REDIS_PORT'])],
      [Number(new URL(settings['MAIN_SERVER_URL'] ?? '').port)],
    ]);
    for (const peers of [
      ...(policy?.ingress ?? []).map(({ from }) => from),
      ...(policy?.egress ?? []).map(({ to }) => to),
    ])
      for (const peer of peers) expect(peer).toHaveProperty('podSelector.matchLabels');
  });

  test('what selects the pods goes by their label', () => {
    const labels = { app: 'message-broker-worker' };
    expect(specOf('Deployment')?.template?.metadata.labels).toEqual(labels);
    expect(specOf('Deployment')?.selector?.matchLabels).toEqual(labels);
    expect(specOf('PodDisruptionBudget')?.selector?.matchLabels).toEqual(labels);
    expect(specOf('PodMonitor')?.selector?.matchLabels).toEqual(labels);
    expect(specOf('NetworkPolicy')?.podSelector?.matchLabels).toEqual(labels);
  });
});

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Selector {
  readonly matchLabels: Readonly<Record<string, string>>;
}

interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly { readonly name: string }[];
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly mountPath: string }[];
}

type PolicyPorts = readonly { readonly protocol: string; readonly port: string | number }[];

interface Manifest {
  readonly kind: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: Selector;
    readonly podSelector?: Selector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly from: readonly object[]; readonly ports: PolicyPorts }[];
    readonly egress?: readonly { readonly to: readonly object[]; readonly ports: PolicyPorts }[];
    readonly template?: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly Container[];
        readonly volumes: readonly { readonly emptyDir?: object; readonly secret?: object }[];
      };
    };
  };
}

function defaultOf(env: string): number {
  return Number(SETTINGS.find((setting) => setting.env === env)?.default);
}
