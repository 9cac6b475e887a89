/**
 * The messages between the primary and its children (JSON over node:cluster's channel). Both sides check what arrives:
 * the channel outlives versions during a rolling reload, so an unknown or malformed message is ignored.
 *
 * A child's life:
 *
 *   fork → `hello` → `configure` → booted ──`activate`──→ active ──`quiet`──→ quieted ──`drain`──→ exit 0
 *                        └→ boot-failed, exit 78            └──────────`drain`──────────→ exit 0
 *
 * `booted` = configuration and certificates are good and, as soon as it answers, so is Redis; nothing is claimed and no
 * port is taken before `activate`. That is what lets a new process boot before the old one gives its slot up.
 */
import { isDuty, type DutyName } from './words/duties.js';
import { isConfig, type Config } from './config/config.js';
import { readCounts, type Counts } from './metrics/counts.js';
import { isCount, readFailing } from './metrics/failing-facts.js';
import { readMetrics, type MetricJson } from './metrics/metric-json.js';

export type ToChild =
  | { readonly type: 'configure'; readonly config: Config; readonly identity: Identity }
  | { readonly type: 'activate' }
  /** Claim no more, release the metrics port, answer `quieted`; what is in flight goes on. */
  | { readonly type: 'quiet' }
  /** Finish what is in flight within `deadlineMs`, hand back the rest, exit 0. */
  | { readonly type: 'drain'; readonly deadlineMs: number }
  /** Hand back everything now and exit. */
  | { readonly type: 'kill' }
  /** Answer `counts`, then `gauges`. */
  | { readonly type: 'collect-gauges'; readonly request: number }
  /** Answer `claims`. */
  | { readonly type: 'collect-claims'; readonly request: number };

export type ToPrimary =
  /** The child listens from now on. node:cluster drops what reaches a child before its (asynchronously loaded) code does. */
  | { readonly type: 'hello' }
  /** `hasRoute`: false = the main server says that it has no route for deliveries. */
  | { readonly type: 'booted'; readonly redisReached: boolean; readonly hasRoute?: boolean }
  /** `code` of a BrokerError; `message` is the sentence for the operator. */
  | { readonly type: 'boot-failed'; readonly code: string; readonly message: string }
  | { readonly type: 'beat'; readonly beat: Beat }
  | { readonly type: 'quieted' }
  /** The lease was lost and a new consumer name taken. */
  | { readonly type: 'consumer'; readonly consumer: string }
  /** Unasked each second, so that little of what a child counted dies with it; and the last that it says. */
  | { readonly type: 'counts'; readonly counts: Counts }
  | { readonly type: 'gauges'; readonly request: number; readonly gauges: readonly MetricJson[] }
  | { readonly type: 'claims'; readonly request: number; readonly claims: ClaimsInHand };

/** Ids of claimed messages, an id once for each copy. */
export interface ClaimsInHand {
  /** They have been POSTed, or are about to be. */
  readonly begun: readonly string[];
  /** They wait in hand: for their registration, for another copy, for a look at the pause. */
  readonly held: readonly string[];
}

/** A certificate in use, of the worker or of a CA. */
export interface CertificateDates {
  readonly file: string;
  /** Milliseconds since the Unix epoch. */
  readonly notAfter: number;
}

/** A duty beside the work loop that has failed for 10 s. */
export interface DutyTrouble {
  readonly duty: DutyName;
  /** Without a capital letter, for a list of reasons. */
  readonly text: string;
  /** It has for 30 s, and delivery or the return of retries hangs on it. */
  readonly stops: boolean;
}

/** Who a worker is. The primary gives it; the consumer name is made of it (queue/keys.ts). */
export interface Identity {
  readonly workerId: string;
  /** Metrics port of the slot. */
  readonly metricsPort: number;
  /** One incarnation: random, never used twice. */
  readonly nonce: string;
}

/**
 * paused: nobody begins a delivery. retry_after: the main server asked for rest. fleet_cap: others may have in flight all that
 * MAIN_SERVER_MAX_IN_FLIGHT allows. rate: more is waiting than MAIN_SERVER_MAX_RATE lets the fleet claim.
 */
export const HELD_BY = ['paused', 'retry_after', 'fleet_cap', 'rate'] as const;
export type HeldBy = (typeof HELD_BY)[number];

/**
 * Of what a reason tells. redis, main_server: neither can be used. no_route: the main server has no route for deliveries. stuck:
 * nothing was claimed for 15 s. port: the metrics port is taken. held: nothing is wrong (HELD_BY has the words).
 */
export const WORKER_CAUSES = ['redis', 'main_server', 'no_route', 'stuck', 'port', 'held'] as const;
export type WorkerCause = (typeof WORKER_CAUSES)[number];

/** Sent by the work loop itself about once a second: a beat proves that the loop turns, not that the process exists. */
export interface Beat {
  readonly state: WorkerState;
  /** Why the state is not `ready`, or why one that is ready claims nothing, in plain words. */
  readonly reasons: readonly string[];
  /** One for each of the reasons. */
  readonly causes: readonly (WorkerCause | 'other')[];
  /** Claimed a message or proved the queue empty within the last 15 s, or is held; a `degraded` worker may well consume. */
  readonly consuming: boolean;
  readonly inFlight: number;
  readonly eventLoopLagSeconds: number;
  readonly redisUp: boolean;
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** The label of worker_messages_failed_total of what opened it; undefined = it is closed, or that is not known. */
  readonly breakerReason?: string | undefined;
  /** Until the main server is asked again, while nothing is claimed for its sake. */
  readonly nextLookMs?: number | undefined;
  /** What lets it claim less than it could, or nothing, although nothing is wrong. */
  readonly heldBy?: HeldBy | undefined;
  /** How many deliveries it may have in flight, and what holds that (domain/flow/flow-control.ts). */
  readonly flow?: { readonly limit: number; readonly heldBy: string } | undefined;
  /** Whose messages fail lately (domain/failures/failing-clients.ts); undefined = not known. */
  readonly failing?: ReturnType<typeof readFailing>;
  /** In use. */
  readonly certificates: readonly CertificateDates[];
  readonly troubles: readonly DutyTrouble[];
}

/**
 * standby: booted, not activated. starting: activated, nothing proved yet. ready: claimed a message or proved the queue
 * empty within the last 15 s. degraded: neither, for a reason given. draining: claims no more.
 */
export const WORKER_STATES = ['standby', 'starting', 'ready', 'degraded', 'draining'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

/** undefined = not a message of ours. */
export function readToChild(value: unknown): ToChild | undefined {
  if (!isRecord(value)) return undefined;
  switch (value['type']) {
    case 'activate':
    case 'quiet':
    case 'kill':
      return { type: value['type'] };
    case 'drain':
      return isCount(value['deadlineMs']) ? { type: 'drain', deadlineMs: value['deadlineMs'] } : undefined;
    case 'collect-gauges':
    case 'collect-claims':
      return isCount(value['request']) ? { type: value['type'], request: value['request'] } : undefined;
    case 'configure':
      return isConfig(value['config']) && isIdentity(value['identity'])
        ? { type: 'configure', config: value['config'], identity: value['identity'] }
        : undefined;
    default:
      return undefined;
  }
}

/** undefined = not a message of ours. */
export function readToPrimary(value: unknown): ToPrimary | undefined {
  if (!isRecord(value)) return undefined;
  switch (value['type']) {
    case 'hello':
    case 'quieted':
      return { type: value['type'] };
    case 'booted':
      return {
        type: 'booted',
        redisReached: value['redisReached'] === true,
        ...(value['hasRoute'] === false ? { hasRoute: false } : {}),
      };
    case 'consumer':
      return typeof value['consumer'] === 'string' ? { type: 'consumer', consumer: value['consumer'] } : undefined;
    case 'boot-failed':
      return typeof value['code'] === 'string' && typeof value['message'] === 'string'
        ? { type: 'boot-failed', code: value['code'], message: value['message'] }
        : undefined;
    case 'counts': {
      const counts = readCounts(value['counts']);
      return counts && { type: 'counts', counts };
    }
    case 'gauges':
      return isCount(value['request'])
        ? { type: 'gauges', request: value['request'], gauges: readMetrics(value['gauges']) }
        : undefined;
    case 'claims':
      return isCount(value['request']) && isClaimsInHand(value['claims'])
        ? { type: 'claims', request: value['request'], claims: value['claims'] }
        : undefined;
    case 'beat':
      return isBeat(value['beat']) ? { type: 'beat', beat: readBeat(value['beat']) } : undefined;
    default:
      return undefined;
  }
}

function readBeat(beat: Beat): Beat {
  const { certificates, troubles, flow }: { certificates: unknown; troubles: unknown; flow?: unknown } = beat;
  const { causes, breakerReason, nextLookMs }: { causes: unknown; breakerReason?: unknown; nextLookMs?: unknown } =
    beat;
  const known: readonly unknown[] = Array.isArray(causes) ? causes : [];
  return {
    ...beat,
    causes: beat.reasons.map((_, at) => WORKER_CAUSES.find((word) => word === known[at]) ?? 'other'),
    breakerReason: typeof breakerReason === 'string' ? breakerReason : undefined,
    nextLookMs: isCount(nextLookMs) ? nextLookMs : undefined,
    heldBy: HELD_BY.find((word) => word === beat.heldBy),
    flow: isFlow(flow) ? flow : undefined,
    failing: readFailing(beat.failing),
    certificates: Array.isArray(certificates) ? certificates.filter(isCertificateDates) : [],
    troubles: Array.isArray(troubles) ? troubles.filter(isDutyTrouble) : [],
  };
}

function isBeat(value: unknown): value is Beat {
  return (
    isRecord(value) &&
    WORKER_STATES.includes(value['state'] as WorkerState) &&
    Array.isArray(value['reasons']) &&
    ['inFlight', 'eventLoopLagSeconds'].every((name) => isCount(value[name]))
  );
}

function isFlow(value: unknown): value is NonNullable<Beat['flow']> {
  return isRecord(value) && isCount(value['limit']) && typeof value['heldBy'] === 'string';
}

function isDutyTrouble(value: unknown): value is DutyTrouble {
  return (
    isRecord(value) && isDuty(value['duty']) && typeof value['text'] === 'string' && typeof value['stops'] === 'boolean'
  );
}

function isCertificateDates(value: unknown): value is CertificateDates {
  return isRecord(value) && typeof value['file'] === 'string' && isCount(value['notAfter']);
}

function isClaimsInHand(value: unknown): value is ClaimsInHand {
  return isRecord(value) && [value['begun'], value['held']].every(isListOfTexts);
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isIdentity(value: unknown): value is Identity {
  return (
    isRecord(value) &&
    typeof value['workerId'] === 'string' &&
    typeof value['nonce'] === 'string' &&
    isCount(value['metricsPort'])
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
