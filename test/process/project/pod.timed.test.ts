/**
 * The pod of the Kubernetes example without Kubernetes: its settings, volumes and security context around the built program,
 * as the kubelet would lay them. What the cluster itself does (policies, probes, rollouts) is not seen here.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { useCertificates } from '../../support/main-server/certificates.js';
import { freePort, freePorts } from '../../support/free-port.js';
import { createMessageLedger } from '../../support/ledger.js';
import { whyNoMachine } from '../../support/machine/booted-machine.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const POD_SCRIPT = join(REPOSITORY, 'test/support/machine/pod.sh');
const POD_NAME = 'message-broker-worker-7c9d8b6f5-x2x9k';
/** Of the loopback, and not the one that everybody means by it. */
const POD_IP = '127.0.0.2';

interface PodManifest {
  readonly spec: {
    readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number; readonly fsGroup: number };
    readonly containers: readonly {
      readonly args: readonly string[];
      readonly env: readonly {
        readonly name: string;
        readonly valueFrom: { readonly fieldRef?: { readonly fieldPath: string } };
      }[];
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
    readonly volumes: readonly { readonly name: string; readonly secret?: object; readonly emptyDir?: object }[];
  };
}

const objects = parseAllDocuments(
  readFileSync(join(REPOSITORY, 'config/kubernetes/message-broker-worker.yaml'), 'utf8'),
).map((document) => document.toJS() as { readonly kind: string });
const { data } = ofKind<{ data: Record<string, string> }>('ConfigMap');
const { spec: pod } = ofKind<{ spec: { template: PodManifest } }>('Deployment').spec.template;
const [container] = pod.containers;
if (!container) throw new Error('The pod has no container');

const whyNot = await whyNoMachine();
/** It needs root and the right to mount. Where they are missing it is said, and nothing is tried. */
const whereItCan: (name: string, options: { readonly timeout: number }, suite: () => void) => void =
  whyNot === undefined ? describe : (name) => test(`${name}: not tried, ${whyNot}`, () => console.log(whyNot));

whereItCan('the pod', { timeout: 180_000 }, () => {
  const redis = useRedis();
  const certificates = useCertificates();
  const main = useMainServer(certificates);
  const ledger = createMessageLedger(redis, main);
  const folder = mkdtempSync(join(tmpdir(), 'pod-'));
  let child: ChildProcess | undefined;
  let said = '';
  beforeEach(() => ledger.clear());
  afterEach(() => void child?.kill('SIGKILL'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('it starts, is ready on its own address alone, delivers, answers its commands and drains', async () => {
    const [port, metricsPort] = [await freePort(), await freePorts(3)];
    const here = {
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: String(redis.port),
      MAIN_SERVER_URL: main.server.url,
      SUPERVISOR_PORT: String(port),
      WORKER_METRICS_PORT: String(metricsPort),
    };
    const pid = await startPod(here);
    const ready = () => fetch(`http://${POD_IP}:${port}/ready`, { headers: { connection: 'close' } });
    const isReady = async () => (await ready().catch(() => undefined))?.status === 200;
    await waitFor(isReady, { what: 'the readiness probe', deadlineMs: 90_000 }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${said}`);
    });
    expect(await isOpen('127.0.0.1', port)).toBe(false);
    expect(await isOpen(POD_IP, metricsPort)).toBe(false);
    await ledger.produce(30);
    await ledger.quiet(60_000);
    expect(statusOf(pid)).toMatch(/^CapEff:\t0+$/m);

    const asExec = [
      '--target',
      String(pid),
      '--mount',
      '--pid',
      '--root',
      '--wd',
      `--setuid=${user()}`,
      `--setgid=${user()}`,
    ];
    const command = spawn('nsenter', [...asExec, 'node', '/app/dist/supervisor/cli.js', 'status'], {
      env: { ...environment(here), PATH: '/usr/local/bin:/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let shown = '';
    command.stdout.on('data', (text: Buffer) => (shown += text.toString()));
    expect(await once(command, 'close')).toEqual([0, null]);
    expect(shown).toContain(`${POD_NAME}-3`);

    process.kill(pid, 'SIGTERM');
    expect(await once(child ?? command, 'exit')).toEqual([0, null]);
    expect(said).not.toMatch(/ - (WARNING|ERROR) - /);
  });

  /** Resolves with the pid of the supervisor, which is process 1 in its own eyes. */
  async function startPod(here: Readonly<Record<string, string>>): Promise<number> {
    const [root, secrets] = [join(folder, 'root'), join(folder, 'secrets')];
    for (const path of [root, secrets]) mkdirSync(path);
    const { caCert, workerCert, workerKey } = certificates.files;
    for (const [name, file] of [
      ['ca.crt', caCert],
      ['worker.crt', workerCert],
      ['worker.key', workerKey],
    ] as const)
      symlinkSync(file, join(secrets, name));
    const environmentArguments = Object.entries(environment(here)).map(([name, value]) => `${name}=${value}`);
    child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', POD_SCRIPT],
        ...[root, REPOSITORY, process.execPath, secrets, String(user())],
        ...['env', '-i', 'PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production', ...environmentArguments],
        ...['node', '/app/dist/supervisor/cli.js', ...(container?.args ?? [])],
      ],
      { env: { PATH: process.env['PATH'], VOLUMES: volumes() }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface(stream).on('line', (line) => (said += `${line}\n`));
    }
    const started = () => /^process 1 is (\d+)$/m.exec(said)?.[1];
    return Number(await waitFor(started, { what: 'the container', deadlineMs: 30_000 }));
  }
});

/** As the kubelet would set it, but for what stands elsewhere here. */
function environment(here: Readonly<Record<string, string>>): Record<string, string> {
  const fields: Record<string, string> = { 'metadata.name': POD_NAME, 'status.podIP': POD_IP };
  const own = (container?.env ?? []).flatMap(({ name, valueFrom: { fieldRef } }) =>
    fieldRef ? [[name, fields[fieldRef.fieldPath] ?? '']] : [],
  );
  return { ...data, ...(Object.fromEntries(own) as Record<string, string>), ...here };
}

function volumes(): string {
  return (container?.volumeMounts ?? [])
    .map(({ name, mountPath }) => {
      const volume = pod.volumes.find((declared) => declared.name === name);
      return `${volume?.secret ? 'secret' : 'scratch'} ${mountPath}`;
    })
    .join('\n');
}

function user(): number {
  const { runAsUser, runAsGroup, fsGroup } = pod.securityContext;
  expect([runAsGroup, fsGroup]).toEqual([runAsUser, runAsUser]);
  return runAsUser;
}

function statusOf(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8');
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function ofKind<T>(kind: string): T {
  return objects.find((object) => object.kind === kind) as T;
}
