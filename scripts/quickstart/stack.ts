/**
 * Everything the quickstart runs, started in this order and closed in the reverse one: folder, Redis, queue, main server,
 * supervisor. The supervisor drains while main server and Redis still answer.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../../src/shared/config/config.js';
import { loadConfig } from '../../src/shared/config/load.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { makeCertificates, type CertificateFiles } from '../../supervisor/certificates/certificates.js';
import type { Closers } from '../local/closers.js';
import { findRedis } from '../local/find-redis.js';
import { freePort, freePorts } from '../local/free-port.js';
import { startRedis } from '../local/redis-process.js';
import { LIKE_ORIGINAL } from '../main-server/faults.js';
import { startMainServer, type DevMainServer } from '../main-server/server.js';
import { demoConfig } from './config.js';
import { namesRedis, supervisorEnvironment } from './environment.js';
import { keepLogsOnly, openRunFolder, writeConfig, type RunFolder } from './folder.js';
import { LastWill } from './last-will.js';
import type { QuickstartOptions } from './options.js';
import { connectQueue, type DemoQueue } from './queue.js';
import { DemoSupervisor } from './supervisor.js';

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

interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly announce: (line: string) => void;
  /** Aborted when the user has enough. */
  readonly signal: AbortSignal;
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
  closers.add(() => keepLogsOnly(folder.path));
  const lastWill = new LastWill();
  closers.add(() => lastWill.stop());
  lastWill.start();

  const redis = foreign ? undefined : await startPrivateRedis(options, surroundings, folder, closers);
  lastWill.include(redis?.pid);
  signal.throwIfAborted();
  const certificates = await makeCertificates({
    directory: folder.certificates,
    wallNow: systemClock.wallNow(),
  });
  const server = await startServer(certificates, options);
  closers.add(() => server.close());

  const ports = { supervisor: await freePort(), metrics: await freePorts(options.workers) };
  const queueName = foreign ? `quickstart_${randomBytes(4).toString('hex')}` : 'message_queue';
  const places = { folder, certificates, mainServerUrl: server.url, ports, redisPort: redis?.port, queueName };
  await writeConfig(folder, demoConfig({ ...options, ...places }));
  const { config } = loadConfig({ flags: {}, env, cwd: folder.path, argvConfig: folder.configFile });

  const queue = await connectQueue(config);
  closers.add(() => queue.close());
  if (foreign) closers.add(() => queue.remove());
  signal.throwIfAborted();

  const startedAt = systemClock.now();
  const supervisor = new DemoSupervisor({ folder, env, port: ports.supervisor });
  closers.add(() => supervisor.stop());
  supervisor.start();
  lastWill.include(supervisor.pid);
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
): Promise<{ readonly pid: number; readonly port: number; readonly text: string }> {
  const { path: binary } = await findRedis({ install, announce: (text) => announce(`${text} …`) });
  const redis = await startRedis({ binary, directory: folder.redis, appendonly: true, ownGroup: true });
  closers.add(() => redis.stop());
  return {
    pid: redis.pid,
    port: redis.port,
    text: `${redis.host}:${redis.port} (private, append-only file; ${binary})`,
  };
}

async function startServer(
  files: CertificateFiles,
  { failRate, likeOriginal }: QuickstartOptions,
): Promise<DevMainServer> {
  const pem = (path: string) => readFileSync(path, 'utf8');
  const server = await startMainServer({
    tls: { cert: pem(files.serverCert), key: pem(files.serverKey), ca: pem(files.caCert) },
  });
  server.faults.post.failStatus = FAIL_STATUS;
  server.faults.post.failRate = failRate;
  if (likeOriginal) Object.assign(server.faults, LIKE_ORIGINAL);
  return server;
}
