/**
 * The built program with two workers, its own Redis and main server, and a Prometheus that watches it with the files of
 * config/monitoring. Of those files only the times and addresses differ: a scrape each second, an evaluation each half
 * second, every `for:` one second.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { parse, stringify } from 'yaml';
import type { CertificateFiles } from '../../supervisor/certificates/certificates.js';
import { startMainServer, type DevMainServer } from '../../scripts/main-server/server.js';
import { startRedis, type RedisProcess } from '../../scripts/local/redis-process.js';
import type { StatusDocument } from '../../supervisor/status/status-document.js';
import { freePort, freePorts } from '../support/free-port.js';
import { pemsOf } from '../support/main-server/main-server.js';
import { makeCertificates, validFor } from '../support/main-server/pki.js';
import { startProgram, type Program } from '../support/program/program.js';
import { QUEUE } from '../support/redis/queue.js';
import { plainClient } from '../support/redis/redis.js';
import { SLOW_HANGS_MS, waitFor } from '../support/wait-for.js';
import { alertRules, monitoringFile } from './monitoring-files.js';
import { startPrometheus, type Alert, type Prometheus } from './prometheus.js';

export interface WatchedProgram {
  readonly program: Program;
  /** The program's, for commands beside it. */
  readonly env: Readonly<Record<string, string>>;
  readonly redis: RedisProcess;
  readonly client: Redis;
  /** The one that runs now. */
  readonly server: DevMainServer;
  stopMainServer(): Promise<void>;
  /** On the same port as before. */
  startMainServer(): Promise<void>;
  readonly prometheus: Prometheus;
  readonly certificates: CertificateFiles;
  /** Of the supervisor. */
  readonly origin: string;
  /** Ports of the two workers. */
  readonly workerPorts: readonly [number, number];
  status(): Promise<StatusDocument>;
  /** @param ageMs How long ago they were queued; default 0. */
  push(count: number, ageMs?: number): Promise<void>;
  /** Replaces the .env file in the program's folder. */
  writeEnv(lines: string): Promise<void>;
  /** Resolves to all alerts of that name once one fires. */
  untilFiring(name: string): Promise<readonly Alert[]>;
  isFiring(name: string): Promise<boolean>;
  close(): Promise<void>;
}

const WORKERS = 2;
/** Twice per evaluation: asking more often only takes time from those that are watched. */
const POLL_MS = 250;
/** Within a week: the worker's certificate is about to expire, and its alert says so. */
const CERTIFICATE_DAYS = 5;

/** waitFor at Prometheus's pace. */
export function untilSeen<T>(condition: () => Promise<T>, what: string) {
  return waitFor(condition, { what, deadlineMs: SLOW_HANGS_MS, everyMs: POLL_MS });
}

interface WatchOptions {
  readonly certificateDays?: number;
  /** Added to the program's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startWatchedProgram(
  prometheusBinary: string,
  options: WatchOptions = {},
): Promise<WatchedProgram> {
  const directory = await mkdtemp(join(tmpdir(), 'watched-'));
  const certificates = await makeCertificates({
    directory: join(directory, 'certs'),
    workerValidity: validFor(options.certificateDays ?? CERTIFICATE_DAYS),
  });
  const serverOptions = { tls: pemsOf(certificates), records: false };
  let server = await startMainServer(serverOptions);
  const { port } = server;
  const redis = await startRedis();
  const client = plainClient(redis.port);
  const supervisorPort = await freePort();
  const first = await freePorts(WORKERS);
  const env = {
    REDIS_HOST: redis.host,
    REDIS_PORT: String(redis.port),
    MAIN_SERVER_URL: server.url,
    WORKER_COUNT: String(WORKERS),
    WORKER_METRICS_HOST: '127.0.0.1',
    WORKER_METRICS_PORT: String(first),
    LOG_LEVEL: 'WARNING',
    WORKER_SHUTDOWN_TIMEOUT: '1',
    SUPERVISOR_PORT: String(supervisorPort),
    SUPERVISOR_RUNTIME_DIR: join(directory, 'run'),
    ...options.env,
  };
  const program = startProgram({ cwd: directory, env });
  const workerPorts = [first, first + 1] as const;
  const prometheus = await startPrometheus(prometheusBinary, {
    'prometheus.yml': scrapeConfig({ workers: workerPorts, supervisor: [supervisorPort] }),
    'alerts.yml': impatientRules(),
  });
  const firing = async (name: string) =>
    (await prometheus.alerts()).filter(({ state, labels }) => state === 'firing' && labels['alertname'] === name);
  let pushed = 0;

  return {
    program,
    redis,
    client,
    get server() {
      return server;
    },
    stopMainServer: () => server.close(),
    async startMainServer() {
      server = await startMainServer({ ...serverOptions, port });
    },
    prometheus,
    certificates,
    env,
    origin: `http://127.0.0.1:${supervisorPort}`,
    workerPorts,
    async status() {
      const response = await fetch(`http://127.0.0.1:${supervisorPort}/status`, { headers: { connection: 'close' } });
      return (await response.json()) as StatusDocument;
    },
    async push(count, ageMs = 0) {
      const queued_at = new Date(Date.now() - ageMs).toISOString();
      const texts = Array.from({ length: count }, () => {
        pushed += 1;
        return JSON.stringify({ message_id: `watched-${pushed}`, queued_at, attempt_count: 0 });
      });
      await client.lpush(QUEUE, ...texts);
    },
    writeEnv: (lines) => writeFile(join(directory, '.env'), lines),
    untilFiring: (name) =>
      untilSeen(async () => {
        const alerts = await firing(name);
        return alerts.length > 0 && alerts;
      }, `the alert ${name}`),
    isFiring: async (name) => (await firing(name)).length > 0,
    async close() {
      await prometheus.stop();
      await program.destroy();
      client.disconnect();
      await Promise.all([server.close(), redis.stop()]);
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

interface ScrapeJob {
  readonly job_name: string;
  readonly static_configs: readonly unknown[];
}

function scrapeConfig(ports: Readonly<Record<string, readonly number[]>>): string {
  const config = parse(monitoringFile('prometheus.yml')) as { readonly scrape_configs: readonly ScrapeJob[] };
  const jobs = config.scrape_configs.map((job) => {
    const targets = (ports[job.job_name] ?? []).map((port) => `127.0.0.1:${port}`);
    return { ...job, static_configs: [{ targets }] };
  });
  return stringify({
    ...config,
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '500ms' },
    scrape_configs: jobs,
  });
}

function impatientRules(): string {
  const groups = alertRules().groups.map(({ name, rules }) => ({
    name,
    rules: rules.map((rule) => ('for' in rule ? { ...rule, for: '1s' } : rule)),
  }));
  return stringify({ groups }, { aliasDuplicateObjects: false });
}
