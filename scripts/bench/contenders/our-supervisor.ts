/** The product as its users run it: the built supervisor, its workers, logs to console and file, metrics, safe claims. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import type { StatusDocument } from '../../../supervisor/status/status-document.js';
import { endWithUs, hasEnded, terminate } from '../../local/child-process.js';
import { freePort, freePorts } from '../../local/free-port.js';
import type { Stand } from '../stand.js';
import { profileArguments } from './contender.js';

export const QUEUE = 'message_queue';
const READY_DEADLINE_MS = 30_000;
const LOOK_EVERY_MS = 20;
/** The workers have 25 s to finish what they hold. */
const STOP_DEADLINE_MS = 40_000;

export interface OursOptions {
  readonly concurrency: number;
  readonly workers?: number;
  /** Default: the stand's sink. */
  readonly url?: string | undefined;
  readonly profileFolder?: string | undefined;
  /** Another checkout of the product that is built; default this one. */
  readonly root?: string | undefined;
  /** Its own where two checkouts run at once: both would take from one queue. */
  readonly queue?: string;
  /** More settings. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Ours {
  /** Of the workers; the primary's is left out. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** Resolves when all workers take messages. */
export async function startOurs(stand: Stand, options: OursOptions): Promise<Ours> {
  const { root = packageRoot, workers = 1 } = options;
  const folder = await mkdtemp(join(stand.folder, 'ours-'));
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [...profileArguments(options.profileFolder), join(root, 'dist', 'supervisor', 'cli.js'), 'start'],
    {
      cwd: folder,
      env: await environment(stand, options, { folder, port }),
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  endWithUs(child);
  return {
    pids: await consuming(child, port, workers),
    stop: () => terminate(child, STOP_DEADLINE_MS),
  };
}

async function environment(
  stand: Stand,
  { concurrency, workers = 1, url, queue = QUEUE, settings = {} }: OursOptions,
  { folder, port }: { readonly folder: string; readonly port: number },
): Promise<NodeJS.ProcessEnv> {
  const { certificates, redisPort, sink } = stand;
  return {
    PATH: process.env['PATH'],
    HOME: folder,
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redisPort),
    REDIS_QUEUE_NAME: queue,
    MAIN_SERVER_URL: url ?? sink.url,
    WORKER_CERT_PATH: certificates.workerCert,
    WORKER_KEY_PATH: certificates.workerKey,
    CA_CERT_PATH: certificates.caCert,
    WORKER_COUNT: String(workers),
    WORKER_CONCURRENCY: String(concurrency),
    WORKER_METRICS_HOST: '127.0.0.1',
    WORKER_METRICS_PORT: String(await freePorts(workers)),
    LOG_FILE_PATH: join(folder, 'logs'),
    SUPERVISOR_PORT: String(port),
    SUPERVISOR_RUNTIME_DIR: folder,
    ...settings,
  };
}

async function consuming(child: ChildProcess, port: number, workers: number): Promise<number[]> {
  const deadline = performance.now() + READY_DEADLINE_MS;
  for (;;) {
    const status = await statusOf(port);
    const pids = (status?.workers ?? []).flatMap(({ consuming, pid }) => (consuming && pid !== null ? [pid] : []));
    if (pids.length >= workers) return pids;
    if (hasEnded(child) || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`The supervisor brought ${pids.length} of ${workers} workers to work; its words are above.`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

async function statusOf(port: number): Promise<StatusDocument | undefined> {
  try {
    return (await (await fetch(`http://127.0.0.1:${port}/status`)).json()) as StatusDocument;
  } catch {
    return undefined; // not listening yet
  }
}
