/** The product as its users run it: the built supervisor, its workers, logs to console and file, metrics, safe claims. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import type { StatusDocument } from '../../../supervisor/status/status-document.js';
import { freePort } from '../../local/free-port.js';
import { freePortsInARow } from '../../local/ports.js';
import { profileArguments, until, type Contender, type Running } from './contender.js';
import { pushMessages } from './messages.js';
import type { Stand } from '../measure/stand.js';

export const QUEUE = 'message_queue';
const STAGED = 'bench:staged';
const READY_DEADLINE_MS = 30_000;
const LOOK_EVERY_MS = 20;

export interface OursOptions {
  readonly concurrency: number;
  readonly workers?: number;
  /** Default: the stand's sink. */
  readonly url?: string;
  readonly profileFolder?: string | undefined;
  /** Another checkout of the product that is built; default this one. */
  readonly root?: string | undefined;
  /** Its own where two checkouts run at once: both would take from one queue. */
  readonly queue?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ours {
  /** Of the workers; the primary's is left out. */
  readonly pids: readonly number[];
  readonly primaryPid: number;
  stop(): Promise<void>;
}

export function ours(
  name: string,
  { root, env, queue = QUEUE }: Pick<OursOptions, 'root' | 'queue' | 'env'> = {},
): Contender {
  return {
    name,
    async start(stand, setup): Promise<Running> {
      const running = await startOurs(stand, { ...setup, root, queue, ...(env && { env }) });
      const [pid] = running.pids;
      if (pid === undefined) throw new Error('The supervisor has no worker.');
      return {
        pid,
        prepare: (count) => pushMessages(stand.redis, STAGED, count),
        drain: () => release(stand, queue),
        stop: () => running.stop(),
      };
    },
  };
}

/** One command shows them all. Resolves when all are delivered and settled. */
export async function release(stand: Stand, queue = QUEUE): Promise<void> {
  await stand.redis.rename(STAGED, queue);
  await until(() => isSettled(stand, queue));
}

/** Nothing waits and nothing is in flight. Redis drops empty lists. */
export async function isSettled({ redis }: Stand, queue = QUEUE): Promise<boolean> {
  if ((await redis.exists(queue)) > 0) return false;
  const consumers = await redis.zrange(`{${queue}}:consumers`, '0', '-1');
  const lists = consumers.map((consumer) => `{${queue}}:processing:${consumer}`);
  return lists.length === 0 || (await redis.exists(lists)) === 0;
}

/** Where `release` takes them from. */
export function stage(stand: Stand, count: number, bytes?: number): Promise<void> {
  return pushMessages(stand.redis, STAGED, count, bytes);
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
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return {
    pids: await consuming(child, port, workers),
    primaryPid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

async function environment(
  stand: Stand,
  { concurrency, workers = 1, url, queue = QUEUE, env }: OursOptions,
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
    WORKER_METRICS_PORT: String(await freePortsInARow(workers)),
    LOG_FILE_PATH: join(folder, 'logs'),
    SUPERVISOR_PORT: String(port),
    SUPERVISOR_RUNTIME_DIR: folder,
    ...env,
  };
}

async function consuming(child: ChildProcess, port: number, workers: number): Promise<number[]> {
  const deadline = performance.now() + READY_DEADLINE_MS;
  for (;;) {
    const status = await statusOf(port);
    const pids = (status?.workers ?? []).flatMap(({ consuming, pid }) => (consuming && pid !== null ? [pid] : []));
    if (pids.length >= workers) return pids;
    if (child.exitCode !== null || performance.now() > deadline) {
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
