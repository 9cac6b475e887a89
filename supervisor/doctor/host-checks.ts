import { existsSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';

import type { Config } from '../../src/shared/config/config.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { ControlClient } from '../control-client.js';
import { readinessOf, type StatusDocument } from '../health.js';
import { fail, ok, warn, type Finding } from './finding.js';

/** Of a worker: 2 connections to Redis, logs, metrics, what Node has open. */
const OTHER_FILES = 100;
const MUCH_MEMORY = 512 * 1_048_576;

/** The supervisor that runs, if one does. Never rejects. */
export async function checkSupervisor(
  client: ControlClient,
): Promise<{ findings: Finding[]; status?: StatusDocument }> {
  let status: StatusDocument;
  try {
    status = await client.get<StatusDocument>('/status');
  } catch (error) {
    return { findings: [warn('supervisor', reasonOf(error), 'Start it: message-broker-worker start')] };
  }
  const { reasons } = readinessOf(status).body as { readonly reasons: readonly string[] };
  const big = status.workers.filter(({ memory_bytes: memory }) => (memory ?? 0) > MUCH_MEMORY);
  const running = `pid ${status.supervisor.pid}, ${status.workers.filter(({ consuming }) => consuming).length} of ${status.supervisor.workers_wanted} workers take messages`;
  return {
    status,
    findings: [
      reasons.length > 0
        ? fail(
            'supervisor',
            `pid ${status.supervisor.pid}, not ready: ${reasons.join('; ')}`,
            'See "message-broker-worker status" and the log.',
          )
        : ok('supervisor', running),
      ...status.supervisor.reasons.map((reason) => warn('supervisor', reason, 'See the log.')),
      ...big.map(({ id, memory_bytes: memory }) =>
        warn(
          'memory',
          `${id} uses ${Math.round((memory ?? 0) / 1_048_576)} MiB`,
          'Lower WORKER_CONCURRENCY and WORKER_BATCH_SIZE, or set WORKER_MAX_MEMORY.',
        ),
      ),
    ],
  };
}

/** The supervisor's port and each worker's: free, or held by the supervisor that runs. */
export async function checkPorts({ supervisor, metrics, worker }: Config, status?: StatusDocument): Promise<Finding[]> {
  const ports = [
    { port: supervisor.port, host: supervisor.host, setting: 'SUPERVISOR_PORT' },
    ...(metrics.enabled
      ? Array.from({ length: worker.count }, (_, at) => ({
          port: metrics.port + at,
          host: metrics.host,
          setting: 'WORKER_METRICS_PORT',
        }))
      : []),
  ];
  const ours = new Set(status ? [supervisor.port, ...status.workers.map((each) => each.metrics_port)] : []);
  const taken: Finding[] = [];
  for (const { port, host, setting } of ports) {
    const problem = ours.has(port) ? undefined : await whyNotListen(host, port);
    if (problem === undefined) continue;
    const guess = port === 9100 ? '; node_exporter uses 9100, too' : '';
    taken.push(
      fail(
        'ports',
        `${host}:${port} (${setting}) cannot be listened on: ${problem}`,
        `Choose another ${setting}, or stop what holds it (ss -ltnp)${guess}.`,
      ),
    );
  }
  return taken.length > 0 ? taken : [ok('ports', `${ports.map(({ port }) => port).join(', ')} are free or our own`)];
}

function whyNotListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      done(error.code === 'EADDRINUSE' ? 'another program has it' : error.message),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(undefined)));
  });
}

export function checkFileLimit({ worker }: Config): Finding[] {
  if (process.platform !== 'linux') return [];
  const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity);
  const needed = worker.concurrency * 2 + OTHER_FILES;
  if (limit >= needed) return [ok('open files', `${limit} allowed, ${needed} needed at most`)];
  return [
    fail(
      'open files',
      `${limit} allowed, ${needed} needed with WORKER_CONCURRENCY=${worker.concurrency}`,
      'Raise "ulimit -n", or LimitNOFILE in the systemd unit.',
    ),
  ];
}

/** The folder, or the nearest one above it that exists: it is made at start. */
export function checkLogFolder({ logging }: Config, cwd: string): Finding[] {
  const wanted = resolve(cwd, logging.directory);
  let folder = wanted;
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    // tried, since permissions alone know neither read-only file systems nor root
    rmdirSync(mkdtempSync(join(folder, '.check-')));
    return [ok('log folder', `${wanted} is writable`)];
  } catch (error) {
    return [
      fail(
        'log folder',
        `${wanted} cannot be written: ${reasonOf(error)}`,
        'Give this user the right to write there, or name another LOG_FILE_PATH.',
      ),
    ];
  }
}
