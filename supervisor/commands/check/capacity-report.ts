/** The findings of `check --capacity` as text and as JSON. */
import { ORIGINAL_BEARS } from '../../capacity/limits.js';
import { bestOf, enoughParallel, PLANNED_LOAD, type Capacity, type Limit } from '../../capacity/model.js';
import type { CapacityReport } from '../../capacity/plan.js';
import { table } from '../kit/text-table.js';

const SECONDS_PER_DAY = 86_400;

export function isEnough({ problems, now, target }: CapacityReport): boolean {
  return problems.length === 0 && now !== undefined && (target === undefined || now.perSecond >= target);
}

export function capacityLines(report: CapacityReport): string[] {
  return [
    sentLine(report),
    '',
    ...redisLines(report),
    ...mainServerLines(report),
    ...deliveryLines(report),
    cpuLine(report),
    `This host: ${report.host.cores} cores, ${Math.round(report.host.memoryBytes / 1e6).toLocaleString('en')} MB of memory`,
    ...formulaLines(report),
    ...adviceLines(report),
    ...report.problems.map((problem) => `FAIL  ${problem}`),
  ];
}

function sentLine({ sent }: CapacityReport): string {
  return `Sent: ${sent.requests} × GET ${sent.url} in ${sent.seconds.toFixed(1)} s, and LLEN to Redis. Nothing was enqueued, claimed or delivered.`;
}

function redisLines({ redis }: CapacityReport): string[] {
  if (!redis) return [];
  return [`Redis: ${redis.count} round trips, p50 ${milliseconds(redis.p50Ms)}, p99 ${milliseconds(redis.p99Ms)}`];
}

function mainServerLines({ mainServer }: CapacityReport): string[] {
  if (!mainServer) return [];
  const { levels, firstMs, slowness } = mainServer;
  const rows = levels.map((level) => [
    String(level.parallel),
    String(level.count),
    rate(level.perSecond),
    milliseconds(level.p50Ms),
    milliseconds(level.p99Ms),
  ]);
  const enough = enoughParallel(levels);
  const isStillClimbing = levels.at(-1)?.parallel === enough;
  return [
    `Main server: the first request, with the TLS handshake, took ${milliseconds(firstMs)}`,
    '',
    ...table([['at once', 'requests', 'per second', 'p50', 'p99'], ...rows]).map((line) => `  ${line}`),
    '',
    ...(slowness === undefined
      ? []
      : [
          `With ${levels.at(-1)?.parallel} at once each took ${slowness.toFixed(1)} times as long as one alone, so no more were asked.`,
        ]),
    isStillClimbing
      ? `It was still answering faster with ${enough} at once, the most that was tried (--at-once tries more).`
      : `More than ${enough} at once only adds waiting: it answers ${rate(bestOf(levels))} requests per second at most.`,
    ...(levels.some(({ clientBound, parallel }) => clientBound && parallel >= enough)
      ? ['This program was busy all the time, so the main server can do more than that.']
      : []),
    'A delivery costs the main server more than this request, since it also reads and writes the message.',
  ];
}

function deliveryLines({ deliveries, mainServer }: CapacityReport): string[] {
  if (!deliveries) {
    return ['Once workers have delivered 20 messages, run this beside them: their real times are taken into account.'];
  }
  const { count, meanMs } = deliveries;
  const meanwhile = mainServer ? ' They went on meanwhile, which made the requests above slower.' : '';
  return [
    `Running workers: ${count.toLocaleString('en')} deliveries took ${milliseconds(meanMs)} on average, which is used below where it is more.${meanwhile}`,
  ];
}

function cpuLine({ cpu }: CapacityReport): string {
  if (!cpu)
    return 'CPU time per message: could not be measured, too few requests were answered; the cores of this host are left out below.';
  const micros = Math.round(cpu.secondsPerMessage * 1e6);
  return cpu.by === 'workers'
    ? `CPU time per message: ${micros} µs, by the running workers' own count`
    : `CPU time per message: ${micros} µs, measured here for the request and Redis; log and metrics come on top`;
}

const LIMITS: Readonly<Record<Limit, string>> = {
  slots: 'more workers or more concurrency would give more',
  'main server': 'the main server is the limit',
  cpu: 'the cores of this host are the limit',
};

function formulaLines({ now, target }: CapacityReport): string[] {
  if (!now) return [];
  const verdict =
    target === undefined ? '' : ` ${now.perSecond >= target ? 'Enough' : 'Not enough'} for ${rate(target)}.`;
  return [
    '',
    'Messages per second = workers × concurrency × (1 / seconds per message, Redis included, at that many at once)',
    `Now: ${formula(now)}: ${LIMITS[now.limit]}.${verdict}`,
  ];
}

function adviceLines(report: CapacityReport): string[] {
  const { advice, target } = report;
  if (!advice) return [];
  return [
    '',
    `${adviceFor(advice, target)} ${formula(advice)}`,
    '',
    `  WORKER_COUNT=${advice.workers}`,
    `  WORKER_CONCURRENCY=${advice.concurrency}`,
    '',
    `Never more at once than was tried here. The original main server takes ${ORIGINAL_BEARS} requests at once from everybody`,
    'together, all hosts and the proxies, and stands still for 30 s at each one more: leave some of them to the others.',
    ...capLines(report),
    ...tooMany(report),
  ];
}

function capLines({ cap, now }: CapacityReport): string[] {
  if (cap === 0) return [];
  const slots = now ? now.workers * now.concurrency : 0;
  const rest = slots > cap ? `: of the present ${slots} slots ${cap} at most are used` : '';
  return [`MAIN_SERVER_MAX_IN_FLIGHT=${cap} is kept here and by all workers together${rest}.`];
}

function tooMany({ now, cap }: CapacityReport): string[] {
  const slots = now ? Math.min(now.workers * now.concurrency, cap || Infinity) : 0;
  return slots > ORIGINAL_BEARS ? [`WARN  The present settings allow ${slots} at once.`] : [];
}

function adviceFor({ perSecond, limit }: Capacity, target: number | undefined): string {
  if (target === undefined) return 'To get nearly all that this main server gives:';
  const wanted = `${rate(target)} per second`;
  if (perSecond < target) return `${wanted} cannot be had here: ${LIMITS[limit]}. The most is`;
  if (perSecond * PLANNED_LOAD < target) return `For ${wanted}, with little reserve for the backlog after an outage:`;
  return `For ${wanted}, with a reserve for the backlog after an outage:`;
}

function formula({ workers, concurrency, secondsPerMessage, perSecond }: Capacity): string {
  const seconds = Number(secondsPerMessage.toPrecision(3));
  return `${workers} × ${concurrency} × (1 / ${seconds} s) = ${rate(perSecond)} per second, ${perDay(perSecond)} a day`;
}

function rate(perSecond: number): string {
  return perSecond >= 100 ? Math.round(perSecond).toLocaleString('en') : String(Number(perSecond.toPrecision(3)));
}

function perDay(perSecond: number): string {
  return Number((perSecond * SECONDS_PER_DAY).toPrecision(2)).toLocaleString('en');
}

function milliseconds(ms: number): string {
  return `${ms >= 100 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
}

/** In the manner of GET /status: names with underscores, units in the names. */
export function capacityDocument(report: CapacityReport): object {
  const { sent, redis, atOnce, mainServer, deliveries, cpu, host, now, target, advice, problems } = report;
  return {
    ok: isEnough(report),
    problems,
    sent: { method: 'GET', ...sent },
    redis: redis ? { round_trips: redis.count, mean_ms: redis.meanMs, p50_ms: redis.p50Ms, p99_ms: redis.p99Ms } : null,
    main_server: mainServer
      ? {
          status: mainServer.status,
          first_request_ms: mainServer.firstMs,
          at_once_allowed: atOnce,
          slowness: mainServer.slowness ?? null,
          enough_parallel: enoughParallel(mainServer.levels),
          levels: mainServer.levels.map((level) => ({
            parallel: level.parallel,
            requests: level.count,
            requests_per_second: level.perSecond,
            mean_ms: level.meanMs,
            p50_ms: level.p50Ms,
            p99_ms: level.p99Ms,
            client_bound: level.clientBound,
          })),
        }
      : null,
    running_workers: deliveries ? { deliveries: deliveries.count, mean_ms: deliveries.meanMs } : null,
    cpu_per_message: cpu ? { seconds: cpu.secondsPerMessage, measured_by: cpu.by } : null,
    host: { cores: host.cores, memory_bytes: host.memoryBytes },
    configured: capacityFields(now),
    target_per_second: target ?? null,
    recommended: capacityFields(advice),
  };
}

function capacityFields(capacity: Capacity | undefined): object | null {
  if (!capacity) return null;
  const { workers, concurrency, secondsPerMessage, perSecond, limit } = capacity;
  return {
    workers,
    concurrency,
    seconds_per_message: secondsPerMessage,
    messages_per_second: perSecond,
    limit: limit.replace(' ', '_'),
  };
}
