import { existsSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';

import type { Config } from '../../src/shared/config/config.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { StatusDocument } from '../status/status-document.js';
import { fail, ok, warn, type Finding } from './finding.js';

/** Of a worker: 2 connections to Redis, logs, metrics, what Node has open. */
const OTHER_FILES = 100;
/** Of a worker at work with small messages; the supervisor takes less. */
const PROCESS_BYTES = 100 * 1_048_576;

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

/** Within the limit of the container, if there is one. */
export function checkMemory({ worker }: Config, status?: StatusDocument): Finding[] {
  const free = process.availableMemory();
  // those that run have theirs already
  const processes = status ? 1 : worker.count + 1;
  const needed = processes * PROCESS_BYTES;
  const found = `${mebibytes(free)} MiB are available`;
  if (free >= needed) return [ok('host memory', found)];
  return [
    warn(
      'host memory',
      `${found}, ${mebibytes(needed)} MiB are needed for ${status ? 'a worker more during a reload' : `${worker.count} workers`}`,
      'Give the host or container more, or lower WORKER_COUNT: a process that gets none is killed by the system.',
    ),
  ];
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
