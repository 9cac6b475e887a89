/** `check --capacity`: measures, and says what the settings give and what to set. Enqueues, claims and delivers nothing. */
import { giveAddressesTime } from '../../src/delivery/connect-options.js';
import { credentialsFor } from '../../src/delivery/tls-credentials.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Config } from '../../src/shared/config/config.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { ControlClient } from '../admin/client.js';
import { cpuTimeOf, type CpuTime } from './cpu-time.js';
import { deliveryTimesIn, workersPage, type DeliveryTimes } from './delivery-times.js';
import { hostOf } from './host.js';
import { harmless, withinCap } from './limits.js';
import { loadMainServer, type Load } from './main-server-load.js';
import { capacityOf, recommend, type Capacity, type Host } from './model.js';
import { measureRoundTrips, type RoundTrips } from './redis-round-trips.js';
import { RequestProbe } from '../../src/delivery/request-probe.js';

interface CapacityOptions {
  readonly config: Config;
  readonly clock: Clock;
  /** The supervisor of this instance, if one runs. */
  readonly client: Pick<ControlClient, 'text'>;
  readonly endpoint: string;
  /** Messages per second. */
  readonly target: number | undefined;
  readonly seconds: number;
  /** The most requests at once that were asked for; undefined = as many as hurt nobody. */
  readonly atOnce: number | undefined;
  readonly onProgress: (text: string) => void;
}

export interface CapacityReport {
  readonly sent: { readonly url: string; readonly requests: number; readonly seconds: number };
  readonly redis: RoundTrips | undefined;
  /** The most requests at once that were allowed. */
  readonly atOnce: number;
  /** MAIN_SERVER_MAX_IN_FLIGHT; 0 = none. */
  readonly cap: number;
  readonly mainServer: Load | undefined;
  /** What running workers measured: real deliveries. */
  readonly deliveries: DeliveryTimes | undefined;
  /** Of a worker per message; undefined = it could not be measured. */
  readonly cpu: CpuTime | undefined;
  readonly host: Host;
  /** What the configured settings give. */
  readonly now: Capacity | undefined;
  readonly target: number | undefined;
  readonly advice: Capacity | undefined;
  /** Sentences: what kept something from being measured, or makes it void. */
  readonly problems: readonly string[];
}

/** Of the time, the part for Redis; it is over sooner when Redis is near. */
const REDIS_SHARE = 0.2;
const MOST_REDIS_MS = 1_000;

export async function planCapacity(options: CapacityOptions): Promise<CapacityReport> {
  const { config, clock, client, target, seconds } = options;
  giveAddressesTime();
  const startMs = clock.now();
  options.onProgress('Asking Redis');
  const redisMs = Math.min(MOST_REDIS_MS, seconds * 1_000 * REDIS_SHARE);
  const before = await workersPage(client);
  const measured = await orProblem(measureRoundTrips(config, clock, redisMs));
  const redis = typeof measured === 'string' ? undefined : measured;
  const { maxInFlight: cap } = config.mainServer;
  const busy = before === '' ? 0 : slotsOf(config);
  const atOnce = withinCap(options.atOnce ?? harmless(busy), cap, busy);
  const server = await askMainServer(options, atOnce, seconds * 1_000 - redisMs);
  const after = await workersPage(client);
  const load = typeof server.load === 'string' ? undefined : server.load;
  const report = {
    sent: {
      url: config.mainServer.url + options.endpoint,
      requests: server.requests,
      seconds: (clock.now() - startMs) / 1_000,
    },
    redis,
    atOnce,
    cap,
    mainServer: load,
    deliveries: deliveryTimesIn(after),
    cpu: cpuTimeOf({ before, after, levels: load?.levels ?? [], redisCpuSeconds: redis?.cpuSeconds }),
    host: hostOf(),
    target,
    problems: [...(typeof measured === 'string' ? [measured] : []), ...serverProblems(server.load, options)],
  };
  return { ...report, ...figures(report, config) };
}

function slotsOf({ worker }: Config): number {
  return worker.count * worker.concurrency;
}

async function askMainServer(
  { config, clock, endpoint, onProgress }: CapacityOptions,
  mostParallel: number,
  ms: number,
): Promise<{ load: Load | string; requests: number }> {
  let probe: RequestProbe;
  try {
    const credentials = credentialsFor(config, clock.wallNow());
    const { mainServer } = config;
    probe = new RequestProbe({ mainServer, credentials, path: endpoint, connections: mostParallel, clock });
  } catch (error) {
    return { load: reasonOf(error), requests: 0 };
  }
  try {
    const configured = slotsOf(config);
    const load = await loadMainServer({ probe, clock, ms, mostParallel, configured, onProgress });
    return { load, requests: probe.sent };
  } finally {
    await probe.stop();
  }
}

function serverProblems(load: Load | string, { config, endpoint }: CapacityOptions): string[] {
  const { url } = config.mainServer;
  const asked = `GET ${url}${endpoint}`;
  if (typeof load === 'string') return [`${asked}: ${load}. Nothing is known of what a request costs.`];
  const isError = load.status < 200 || load.status > 299;
  return [
    ...(isError
      ? [
          `${asked} is answered ${load.status}: the times are those of an error answer, not of a delivery. Name a path that does some work in --endpoint.`,
        ]
      : []),
    ...(load.problem === undefined ? [] : [`${asked}: ${load.problem}; no more was sent from there on.`]),
  ];
}

type Facts = Pick<CapacityReport, 'redis' | 'mainServer' | 'deliveries' | 'cpu' | 'host' | 'target'>;

function figures(
  { redis, mainServer, deliveries, cpu, host, target }: Facts,
  { worker, mainServer: { maxInFlight: cap } }: Config,
): Pick<CapacityReport, 'now' | 'advice'> {
  if (!redis || !mainServer) return { now: undefined, advice: undefined };
  const measured = {
    levels: mainServer.levels,
    redisSeconds: redis.meanMs / 1_000,
    deliverySeconds: deliveries && deliveries.meanMs / 1_000,
    cpuSeconds: cpu?.secondsPerMessage,
    mostAtOnce: cap === 0 ? undefined : cap,
  };
  const now = capacityOf({ workers: worker.count, concurrency: worker.concurrency }, measured, host);
  return { now, advice: capacityOf(recommend(target, measured, host), measured, host) };
}

async function orProblem<T>(work: Promise<T>): Promise<T | string> {
  return work.catch((error: unknown) => `${reasonOf(error)}. Nothing is known of what a round trip costs.`);
}
