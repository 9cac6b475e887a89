/**
 * Everything the quickstart runs, started in this order and closed in the reverse one: folder, Redis, queue, main server,
 * supervisor. The supervisor drains while main server and Redis still answer.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/shared/time/clock.js';
import type { Config } from '../../src/shared/config/config.js';
import { loadConfig } from '../../src/shared/config/load.js';
import { makeCertificates, type CertificateFiles } from '../../supervisor/certificates/certificates.js';
import { findRedis } from '../local/find-redis.js';
import { freePort } from '../local/free-port.js';
import { startMainServer, type DevMainServer } from '../main-server/main.js';
import { namesRedis, supervisorEnvironment } from './environment.js';
import { keepLogsOnly, openRunFolder, writeConfig, type RunFolder } from './folder.js';
import type { QuickstartOptions } from './options.js';
import { freePortsInARow } from '../local/ports.js';
import { connectQueue, type DemoQueue } from './redis.js';
import { DemoSupervisor } from './supervisor.js';
import { startRedis } from '../local/redis-process.js';

export const RETRY_INTERVAL_S = 2;
const DRAIN_S = 5;
/** Unlike a 503 it does not mean "cannot be reached": the circuit breaker stays closed at any share of failures. */
const FAIL_STATUS = 500;

export interface Stack {
  readonly folder: RunFolder;
  readonly config: Config;
  /** For people: what Redis this is. */
  readonly redisText: string;
  readonly queue: DemoQueue;
  readonly server: DevMainServer;
  readonly supervisor: DemoSupervisor;
  /** Since the supervisor was started until all workers took messages. */
  readonly readyMs: number;
}

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly announce: (line: string) => void;
  /** Aborted when the user has enough. */
  readonly signal: AbortSignal;
}

/** Closes what was pushed, last first, all of it even if one fails; rejects with the first failure. */
export class Closers {
  readonly #closers: (() => Promise<void>)[] = [];

  push(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** What was started when it rejects is in `closers` too. */
export async function startStack(
  options: QuickstartOptions,
  surroundings: Surroundings,
  closers: Closers,
): Promise<Stack> {
  const { signal, cwd } = surroundings;
  const foreign = namesRedis(surroundings.env);
  const env = supervisorEnvironment(surroundings.env, cwd, foreign);
  const folder = await openRunFolder();
  closers.push(() => keepLogsOnly(folder.path));

  const redis = foreign ? undefined : await startPrivateRedis(options, surroundings, folder, closers);
  signal.throwIfAborted();
  const certificates = await makeCertificates({
    directory: folder.certificates,
    wallNow: systemClock.wallNow(),
  });
  const server = await startServer(certificates, options.failRate);
  closers.push(() => server.close());

  const ports = { supervisor: await freePort(), metrics: await freePortsInARow(options.workers) };
  const queueName = foreign ? `quickstart_${randomBytes(4).toString('hex')}` : 'message_queue';
  const settings = { options, folder, certificates, server, ports, redisPort: redis?.port, queueName };
  await writeConfig(folder, configOf(settings));
  const { config } = loadConfig({ flags: {}, env, cwd: folder.path, argvConfig: folder.configFile });

  const queue = await connectQueue(config);
  closers.push(() => queue.close());
  if (foreign) closers.push(() => queue.remove());
  signal.throwIfAborted();

  const startedAt = systemClock.now();
  const supervisor = new DemoSupervisor({ folder, env, port: ports.supervisor });
  closers.push(() => supervisor.stop());
  await supervisor.untilConsuming(options.workers, signal);
  const readyMs = systemClock.now() - startedAt;
  const redisText = redis?.text ?? `${config.redis.host}:${config.redis.port} (yours; queue ${queueName})`;
  return { folder, config, redisText, queue, server, supervisor, readyMs };
}

async function startPrivateRedis(
  { install }: QuickstartOptions,
  { announce }: Surroundings,
  folder: RunFolder,
  closers: Closers,
): Promise<{ readonly port: number; readonly text: string }> {
  const { path: binary } = await findRedis({ install, announce: (text) => announce(`${text} …`) });
  const redis = await startRedis({ binary, directory: folder.redis, appendonly: true, ownGroup: true });
  closers.push(() => redis.stop());
  return { port: redis.port, text: `${redis.host}:${redis.port} (private, append-only file; ${binary})` };
}

async function startServer(files: CertificateFiles, failRate: number): Promise<DevMainServer> {
  const pem = (path: string) => readFileSync(path, 'utf8');
  const server = await startMainServer({
    tls: { cert: pem(files.serverCert), key: pem(files.serverKey), ca: pem(files.caCert) },
  });
  server.faults.post.failStatus = FAIL_STATUS;
  server.faults.post.failRate = failRate;
  return server;
}

interface DemoSettings {
  readonly options: QuickstartOptions;
  readonly folder: RunFolder;
  readonly certificates: CertificateFiles;
  readonly server: DevMainServer;
  readonly ports: { readonly supervisor: number; readonly metrics: number };
  /** Of the private Redis. */
  readonly redisPort: number | undefined;
  readonly queueName: string;
}

/** The contents of config.yaml. */
function configOf({ options, folder, certificates, server, ports, redisPort, queueName }: DemoSettings): object {
  const place = redisPort === undefined ? {} : { host: '127.0.0.1', port: redisPort };
  return {
    redis: { ...place, queue_name: queueName },
    main_server: { url: server.url },
    tls: {
      cert_file: certificates.workerCert,
      key_file: certificates.workerKey,
      ca_file: certificates.caCert,
    },
    worker: { count: options.workers, retry_interval: RETRY_INTERVAL_S, shutdown_timeout: DRAIN_S },
    metrics: { host: '127.0.0.1', port: ports.metrics },
    logging: { directory: folder.logs },
    supervisor: { host: '127.0.0.1', port: ports.supervisor, runtime_dir: folder.path },
  };
}
