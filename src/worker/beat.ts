import type { Duty } from '../duties/duty-failures.js';
import type { FailureCounts } from '../duties/failure-counts.js';
import type { MetricsServer } from '../duties/metrics-server.js';
import type { CircuitBreaker } from '../domain/flow/circuit-breaker.js';
import type { FlowControl } from '../domain/flow/flow-control.js';
import type { RouteRecord } from '../domain/route-record.js';
import type { RedisQueue } from '../queue/claims/claims-and-settlements.js';
import type { Config } from '../shared/config/config.js';
import type { Beat, CertificateDates } from '../shared/ipc.js';
import { noRoute } from '../shared/words/causes.js';
import { holdOf, type Holders } from './hold.js';
import { readiness, type Readiness } from './readiness.js';
import type { RedisWatch } from './redis-watch.js';
import type { PauseWatch } from './loop/pause-watch.js';
import type { WorkLoop } from './loop/work-loop.js';

/** The parts that are asked for each beat. */
export interface BeatSources extends Holders {
  readonly workLoop: Pick<WorkLoop, 'facts'>;
  readonly queue: Pick<RedisQueue, 'isReady' | 'problem'>;
  readonly redisWatch: Pick<RedisWatch, 'problem'>;
  readonly flow: Pick<FlowControl, 'facts' | 'holdMs' | 'probeDueInMs'>;
  readonly breaker: Pick<CircuitBreaker, 'state' | 'lastReason'>;
  readonly pause: Pick<PauseWatch, 'isPaused' | 'lastPausedAt'>;
  readonly route: Pick<RouteRecord, 'isMissing'>;
  readonly mainServer: Pick<Config['mainServer'], 'url' | 'deliverEndpoint'>;
  readonly metricsServer: Pick<MetricsServer, 'state'>;
  readonly failureCounts: Pick<FailureCounts, 'failing'>;
  readonly watchedDuties: readonly Pick<Duty, 'trouble'>[];
  /** Of the slot. */
  readonly metricsPort: number;
  /** Undefined for an `http://` main server. */
  readonly certificates: { readonly dates: readonly CertificateDates[] } | undefined;
}

/** Monotonic ms. */
interface BeatTimes {
  readonly now: number;
  /** Undefined = on standby. */
  readonly activatedAt: number | undefined;
}

const STANDBY: Readiness = { state: 'standby', reasons: [], causes: [], consuming: false };

/** What the worker tells the primary of itself. */
export function beatOf(sources: BeatSources, times: BeatTimes, eventLoopLagSeconds: number): Beat {
  const { workLoop, queue, breaker, certificates, watchedDuties } = sources;
  return {
    ...readinessOf(sources, times),
    inFlight: workLoop.facts.inFlight,
    certificates: certificates?.dates ?? [],
    troubles: watchedDuties.map(({ trouble }) => trouble).filter((trouble) => trouble !== undefined),
    eventLoopLagSeconds,
    redisUp: queue.isReady(),
    breaker: breaker.state,
    breakerReason: breaker.state === 'closed' ? undefined : breaker.lastReason,
    nextLookMs: nextLookMs(sources, times.now),
    heldBy: holdOf(sources, times.now)?.by,
    flow: sources.flow.facts(times.now),
    failing: sources.failureCounts.failing,
  };
}

/** A half-open breaker looks with the next message that there is. */
function nextLookMs({ breaker, flow }: BeatSources, now: number): number | undefined {
  const restMs = flow.holdMs(now);
  if (breaker.state === 'closed') return restMs > 0 ? restMs : undefined;
  return Math.max(restMs, flow.probeDueInMs(now) ?? 0);
}

function readinessOf(sources: BeatSources, { now, activatedAt }: BeatTimes): Readiness {
  if (activatedAt === undefined) return STANDBY;
  const { workLoop, queue, redisWatch, breaker, pause, route, mainServer, metricsServer, metricsPort } = sources;
  const { consumedAt, slotsFull, isStopping } = workLoop.facts;
  return readiness({
    now,
    activatedAt,
    consumedAt,
    draining: isStopping,
    redisProblem: queue.isReady() ? undefined : (redisWatch.problem ?? queue.problem()),
    breaker,
    lastPausedAt: pause.lastPausedAt,
    routeProblem: route.isMissing ? noRoute(mainServer.url, mainServer.deliverEndpoint) : undefined,
    hold: holdOf(sources, now)?.text,
    slotsFull,
    metricsPortTaken: metricsServer.state() === 'port_taken' ? metricsPort : undefined,
  });
}
