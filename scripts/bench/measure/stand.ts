/** What all contenders stand on: one Redis, one set of certificates, one sink, one temporary folder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { systemClock } from '../../../src/shared/time/clock.js';
import { makeCertificates, type CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { findRedis } from '../../local/find-redis.js';
import { startRedis } from '../../local/redis-process.js';
import type { Closers } from '../../local/closers.js';
import { startSink, type Sink } from '../sinks/sink.js';

export interface Stand {
  readonly folder: string;
  readonly certificates: CertificateFiles;
  readonly redis: Redis;
  readonly redisPort: number;
  readonly redisVersion: string;
  readonly sink: Sink;
}

export interface StandOptions {
  readonly install: boolean;
  readonly announce: (text: string) => void;
}

export async function openStand({ install, announce }: StandOptions, closers: Closers): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  closers.add(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const certificates = await makeCertificates({
    directory: join(folder, 'certificates'),
    wallNow: systemClock.wallNow(),
  });
  const { path: binary } = await findRedis({ install, announce });
  const server = await startRedis({ binary });
  closers.add(() => server.stop());
  const redis = new Redis({ host: server.host, port: server.port });
  redis.on('error', () => undefined); // a command that is lost with its connection rejects by itself
  closers.add(async () => redis.disconnect());
  const sink = await startSink({ folder, certificates, install, announce });
  closers.add(() => sink.close());
  return { folder, certificates, redis, redisPort: server.port, redisVersion: await versionOf(redis), sink };
}

async function versionOf(redis: Redis): Promise<string> {
  return /^(?:redis|valkey)_version:(\S+)/m.exec(await redis.info('server'))?.[1] ?? 'unknown';
}

/** Commands by which a client asks Redis to do something for its messages; those that scripts call do not count. */
const ROUND_TRIPS = new Set(['eval', 'evalsha', 'blmove', 'brpoplpush', 'brpop', 'bzpopmin']);

/** Round trips of all clients since the start of Redis. */
export async function roundTrips(redis: Redis): Promise<number> {
  let calls = 0;
  for (const [, name, count] of (await redis.info('commandstats')).matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)) {
    if (ROUND_TRIPS.has(name ?? '')) calls += Number(count);
  }
  return calls;
}
