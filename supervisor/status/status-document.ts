/** The shapes of /status, /health and /ready. No imports: the dashboard's page reads it too. */
export const SHOWN_STATES = ['starting', 'ready', 'degraded', 'draining', 'backoff'] as const;
export type ShownState = (typeof SHOWN_STATES)[number];

/** What may be wrong, or hold deliveries back; what is nearer to the root first. */
export const CAUSES = [
  'stopping',
  'redis',
  'certificate',
  'main_server',
  'no_route',
  'duty',
  'hang',
  'crash',
  'stuck',
  'paused',
  'rest',
  'failing',
  'reload',
  'eviction',
  'backlog',
  'supervisor',
  'port',
  'host',
  'held',
  'starting',
  'other',
] as const;
export type Cause = (typeof CAUSES)[number];

/** One thing that an operator should know, in one sentence, however many workers say it. */
export interface Concern {
  readonly cause: Cause;
  /** Without a capital letter and a full stop. */
  readonly text: string;
  /** stops: not ready for it. wrong: degraded. note: nothing is wrong, and yet less is claimed than could be. */
  readonly level: 'stops' | 'wrong' | 'note';
  /** Those that say it; empty = it is of the whole. */
  readonly workers: readonly string[];
  /** Seconds until it is looked again whether it is over; null = it is looked all the time, or nobody waits for it. */
  readonly next_look_seconds: number | null;
  readonly advice: Advice | null;
}

export interface Advice {
  /** A sentence or two. */
  readonly text: string;
  /** What to type for it. */
  readonly command: string | null;
}

/** The state of the whole on this host in one look: the same for everybody who shows it. */
export interface Headline extends Omit<Concern, 'cause' | 'level'> {
  /** stopped: nothing is delivered. degraded: messages are, and yet something is wrong. */
  readonly state: 'flowing' | 'paused' | 'degraded' | 'stopped';
  /** null = messages flow. */
  readonly cause: Cause | null;
  /** ISO 8601, UTC: since when this supervisor has seen it, to 2 s. */
  readonly since: string;
  /** What else there is; at most three, the worst first. */
  readonly further: readonly Concern[];
  /** Concerns beyond these. */
  readonly left_out: number;
}

export type SupervisorState = 'starting' | 'running' | 'reloading' | 'stopping';

/** Its counts are those of all processes its place ever had, under whatever id. */
export interface WorkerStatus extends CountsStatus {
  readonly id: string;
  /** null while the slot waits for its next start. */
  readonly pid: number | null;
  readonly state: ShownState;
  /** Why the state is not `ready`, or why one that is ready claims nothing. */
  readonly reasons: readonly string[];
  /** One for each of the reasons. */
  readonly causes: readonly Cause[];
  /** Takes messages, whatever else may be wrong, or would if it were not held. */
  readonly consuming: boolean;
  readonly breaker: 'closed' | 'open' | 'half-open' | null;
  /** The label of worker_messages_failed_total of what opened the breaker; null = it is closed, or that is not known. */
  readonly breaker_reason: string | null;
  /** Seconds until it asks the main server again, while it claims nothing for its sake; null = it claims. */
  readonly next_look_seconds: number | null;
  /** Why it claims less than it could, or nothing, although nothing is wrong; null = it claims what it can. */
  readonly held_by: 'paused' | 'retry_after' | 'fleet_cap' | 'rate' | null;
  /** How many deliveries it may have in flight; null while it has said nothing. */
  readonly concurrency_limit: number | null;
  /** What holds that: concurrency (WORKER_CONCURRENCY), demand, server, fleet_cap, retry_after or breaker. */
  readonly limited_by: string | null;
  readonly redis_up: boolean;
  readonly metrics_port: number;
  readonly restarts: number;
  /** Of those, because it sent no heartbeat and was killed. */
  readonly hangs: number;
  readonly uptime_seconds: number;
  /** null until measured. */
  readonly cpu_percent: number | null;
  readonly memory_bytes: number | null;
  readonly event_loop_lag_seconds: number | null;
  readonly processing: number;
  /** What beside deliveries has failed for 10 s. */
  readonly failing_duties: readonly FailingDuty[];
}

export interface FailingDuty {
  /** As the log names it. */
  readonly duty: string;
  readonly text: string;
  /** It has for 30 s, and delivery or the return of retries hangs on it. */
  readonly stops: boolean;
}

/** Each only grows while the supervisor lives. */
export interface CountsStatus {
  /** Finished attempts: those delivered and those failed. */
  readonly processed: number;
  /** Attempts that were answered with 2xx. */
  readonly delivered: number;
  /** Attempts that spent one of the message's. What is buried without an attempt is in `errors` alone. */
  readonly failed: number;
  /** Attempts put down for a retry. */
  readonly retried: number;
}

export interface LastReload {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly ok: boolean;
  /** null after a success. */
  readonly reason: string | null;
  /** What else the operator should know. */
  readonly remarks: readonly string[];
}

export interface StatusDocument extends StatusFacts {
  readonly headline: Headline;
}

/** What the headline is made of. */
export interface StatusFacts {
  readonly supervisor: {
    readonly pid: number;
    readonly version: string;
    readonly state: SupervisorState;
    readonly uptime_seconds: number;
    readonly workers_wanted: number;
    readonly last_reload: LastReload | null;
    readonly reloads_succeeded: number;
    readonly reloads_failed: number;
    /** What is wrong with the supervisor itself. */
    readonly reasons: readonly string[];
    /** What it does for all its workers and has failed for 10 s. */
    readonly failing_duties: readonly FailingDuty[];
  };
  readonly workers: readonly WorkerStatus[];
  /** Of all workers there ever were, those scaled away among them. */
  readonly totals: CountsStatus;
  readonly queue: {
    readonly name: string;
    readonly redis_up: boolean;
    /** null while Redis is away. */
    readonly waiting: number | null;
    readonly processing: number | null;
    readonly retrying: number | null;
    readonly dead: number | null;
    readonly oldest_wait_seconds: number | null;
    /** How long the retry that is due first has been due: more than a second only when nobody moves retries back. */
    readonly oldest_retry_overdue_seconds: number | null;
    /** Until the first retry is due; null = there is none, or it is not known. */
    readonly retry_due_in_seconds: number | null;
    /** maxmemory-policy; null when Redis does not say. Only `noeviction` cannot delete the queue. */
    readonly eviction_policy: string | null;
    /** Nobody begins a delivery; null = deliveries are not paused, or it cannot be seen. */
    readonly paused: PausedStatus | null;
    readonly arrivals: ArrivalsStatus;
  };
  /** All supervisors, and workers alone, on this queue; null = not known. */
  readonly fleet: FleetStatus | null;
  /** In use; the soonest end of each file. */
  readonly certificates: readonly CertificateStatus[];
  readonly traffic: TrafficStatus;
  /** Whose messages fail lately, of what the workers here attempt; null = not known. */
  readonly failing: FailingStatus | null;
  /** One for each reason, the latest first. */
  readonly errors: readonly ErrorStatus[];
}

/** Attempts over the last one to two retry intervals, at least half a minute; of those who failed ten, the most first. */
export interface FailingStatus extends Pick<CountsStatus, 'failed' | 'delivered'> {
  readonly clients: readonly FailingClient[];
}

export interface FailingClient extends Pick<CountsStatus, 'failed' | 'delivered'> {
  /** null = its messages do not say. */
  readonly client_id: string | null;
  /** What its latest failure came to: `HTTP 422`. */
  readonly answer: string;
  /** Since when at least half of its attempts fail; ISO 8601, UTC. */
  readonly since: string;
}

export interface FleetStatus {
  readonly alive: number;
  /** Not a word for 15 s; within the last day, as those stopped. */
  readonly vanished: number;
  readonly stopped: number;
  /** The latest ten who have vanished, the latest first. */
  readonly missing: readonly MissingStatus[];
}

interface MissingStatus {
  readonly host: string;
  readonly instance: string;
  /** ISO 8601, UTC, by Redis's clock at that time. */
  readonly last_seen_at: string;
  readonly silent_seconds: number;
}

/** Of all hosts, over the last 20 s. Beside Python workers it is "at least": what they take is not seen. */
export interface ArrivalsStatus {
  /** Messages since the history of the queue began; null = not known. */
  readonly arrived: number | null;
  /** null = not known yet. */
  readonly arrived_per_second: number | null;
  /** Of what waits; none = no more waits than is on its way through. null = not known yet. */
  readonly trend: 'none' | 'level' | 'growing' | 'shrinking' | null;
  /** If it goes on like this; null = what waits does not shrink. */
  readonly caught_up_in_seconds: number | null;
}

export interface PausedStatus {
  readonly id: string;
  /** As they who paused said; empty = they did not. */
  readonly who: string;
  readonly where: string;
  readonly why: string;
  /** ISO 8601, UTC; null = until somebody ends it. */
  readonly until: string | null;
}

export interface CertificateStatus {
  readonly file: string;
  /** ISO 8601, UTC. */
  readonly not_after: string;
  readonly expired: boolean;
}

/** What the workers did lately; measured every two seconds. */
export interface TrafficStatus {
  readonly delivered_per_second: number;
  readonly failed_per_second: number;
  /** How far back the four below look. */
  readonly window_seconds: number;
  readonly delivered: number;
  /** Attempts, as everywhere. */
  readonly failed: number;
  /** Time of one attempt; null when there was none. */
  readonly delivery_seconds: Quantiles | null;
  /** Time from `queued_at` to the first attempt. */
  readonly queue_wait_seconds: Quantiles | null;
}

/** Estimated from the buckets of a histogram. */
export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface ErrorStatus {
  /** The label of worker_messages_failed_total: of a failed attempt, or of a burial. */
  readonly reason: string;
  /** Since the supervisor started. */
  readonly count: number;
  /** Within the last five minutes. */
  readonly recent_count: number;
  readonly last_at: string | null;
  readonly last_error: string;
  /** null when the message has none that can be read. */
  readonly last_message_id: string | null;
  readonly last_worker_id: string;
}

export interface HealthDocument {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly supervisor: Pick<StatusDocument['supervisor'], 'pid' | 'state' | 'uptime_seconds'>;
  readonly workers: readonly Pick<WorkerStatus, 'id' | 'pid' | 'state' | 'reasons'>[];
  readonly reasons: readonly string[];
}

export interface ReadinessDocument {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  /** Troubles that do not stop delivery. */
  readonly warnings: readonly string[];
  /** Nobody begins a delivery, which is no reason not to be ready: a load balancer or a rollout must not wait for the end. */
  readonly paused: PausedStatus | null;
}
