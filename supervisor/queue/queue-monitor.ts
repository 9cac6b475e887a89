import { asSentence, BACKLOG_MESSAGES, backlogOf, CAUSE } from '../../src/shared/words/causes.js';
import { waitSecondsOf } from '../../src/domain/history/oldest-wait.js';
import { DutyFailures } from '../../src/duties/duty-failures.js';
import { replyCode } from '../../src/queue/connection/reply.js';
import type { DutyTrouble } from '../../src/shared/ipc.js';
import { RetryLateness } from '../../src/domain/clocks/retry-lateness.js';
import type { Config } from '../../src/shared/config/config.js';
import type { QueueSizes } from '../../src/queue/message-queue.js';
import type { Clock, Timer } from '../../src/shared/time/clock.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Pause } from '../../src/domain/pause/pause.js';
import { DeadLetterInbox } from './dead-letter-inbox.js';
import { PauseSight } from './pause-sight.js';
import type { Borrowed, QueueAccess, QueueSettings } from './queue-access.js';

export interface QueueSight {
  readonly waiting: number;
  readonly processing: number;
  readonly retrying: number;
  readonly dead: number;
  /** Age of the message that waits longest, 0 when none waits; undefined when its age cannot be read. */
  readonly oldestWaitSeconds: number | undefined;
  /** How long the first of the retries has been due, 0 when none is; undefined when Redis does not say. */
  readonly oldestRetryOverdueSeconds: number | undefined;
  /** Until the first retry is due, by the clock of Redis; undefined = there is none, or its time cannot be read. */
  readonly retryDueInSeconds: number | undefined;
  /** Deliveries are paused, by whom and until when; undefined = they are not, or it cannot be seen. */
  readonly pause: Pause | undefined;
}

const INTERVAL_MS = 2_000;
/** The policy changes by an operator's hand only. */
const POLICY_INTERVAL_MS = 15_000;
/** A key of another type, or what this user may not do: Redis is there, and does not count for us. */
const REFUSALS = new Set(['WRONGTYPE', 'NOPERM']);
/** Below this share of it a backlog is over, so that one around the threshold is not said again and again. */
const BACKLOG_OVER = 0.5;

type MonitorSettings = QueueSettings & { readonly worker: Pick<Config['worker'], 'retryIntervalMs'> };

interface QueueMonitorOptions {
  readonly access: Pick<QueueAccess, 'borrow'>;
  readonly settings: MonitorSettings;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Looks at the queue every 2 s, so that a status or a scrape never waits for Redis. Redis's absence is said once, and its
 * return with the length of the outage.
 */
export class QueueMonitor implements Life {
  readonly #access: Pick<QueueAccess, 'borrow'>;
  readonly #settings: MonitorSettings;
  readonly #log: Log;
  readonly #clock: Clock;
  #connection: Borrowed | undefined;
  #sight: QueueSight | undefined;
  #evictionPolicy: string | undefined;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #looked = false;
  #lostAt: number | undefined;
  #policyAt = -Infinity;
  #hasBacklog = false;
  readonly #inbox: DeadLetterInbox;
  readonly #pause: PauseSight;
  readonly #counting: DutyFailures;
  #lateness: RetryLateness;
  #stopped = false;

  constructor({ access, settings, log, clock }: QueueMonitorOptions) {
    this.#access = access;
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
    this.#inbox = new DeadLetterInbox({ log, clock });
    this.#pause = new PauseSight({ log, clock });
    this.#counting = new DutyFailures({ name: 'counting of messages', isVital: false, clock, log });
    this.#lateness = new RetryLateness(settings.worker.retryIntervalMs);
  }

  /** Rejects with ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  async start(): Promise<void> {
    if (this.#stopped || this.#connection) return;
    const connection = this.#access.borrow(this.#settings);
    this.#connection = connection;
    this.#timer = this.#clock.every(INTERVAL_MS, () => void this.look());
    void connection.whenReady(INTERVAL_MS).then(() => this.look());
  }

  /** The last look; undefined before the first, while Redis is away, and while it refuses to count. */
  get sight(): QueueSight | undefined {
    return this.#sight;
  }

  /** When Redis has refused to count for 10 s. */
  get trouble(): DutyTrouble | undefined {
    return this.#counting.trouble;
  }

  /** undefined = not known. */
  get evictionPolicy(): string | undefined {
    return this.#evictionPolicy;
  }

  /** In the first moments, before it was looked at, Redis is not accused. */
  get redisUp(): boolean {
    return this.#lostAt === undefined && (this.#connection?.isReady() === true || !this.#looked);
  }

  /** Watches the queue of these settings from now on. Rejects with ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  async adopt(settings: MonitorSettings): Promise<void> {
    if (this.#stopped) return;
    const old = this.#connection;
    this.#connection = this.#access.borrow(settings);
    this.#lateness = new RetryLateness(settings.worker.retryIntervalMs);
    this.#sight = undefined;
    this.#evictionPolicy = undefined;
    this.#policyAt = -Infinity;
    await old?.release();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    const emptied = this.#inbox.stop();
    await this.#connection?.release();
    await Promise.all([this.#looking, emptied]);
  }

  /** Never rejects. */
  look(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
  }

  async #look(): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    const sentAt = this.#clock.now();
    try {
      const [sizes, pause] = await Promise.all([connection.queue.sizes(), this.#pause.look(connection.queue)]);
      if (connection !== this.#connection) return;
      const { waiting, processing, retrying, dead } = sizes;
      const ages = {
        oldestWaitSeconds: this.#age(sizes),
        oldestRetryOverdueSeconds: this.#overdue(sizes, sentAt),
        retryDueInSeconds: dueInSeconds(sizes),
      };
      this.#sight = { waiting, processing, retrying, dead, ...ages, pause };
      this.#foundAgain();
      this.#counting.worked();
      this.#noteBacklog(waiting);
      if (sizes.deadInbox > 0) this.#inbox.empty(connection);
      await this.#lookAtPolicy(connection);
    } catch (error) {
      if (connection === this.#connection && !this.#stopped) this.#failed(error);
    } finally {
      this.#looked = true;
    }
  }

  #failed(error: unknown): void {
    this.#sight = undefined;
    if (!REFUSALS.has(replyCode(error) ?? '')) return this.#lost(reasonOf(error));
    this.#foundAgain();
    this.#counting.failed(error);
  }

  #lost(reason: string): void {
    this.#counting.excused();
    if (this.#lostAt !== undefined) return;
    this.#lostAt = this.#clock.now();
    this.#log.error(`${CAUSE.redis}: ${reason}`);
  }

  async #lookAtPolicy(connection: Borrowed): Promise<void> {
    if (this.#clock.now() - this.#policyAt < POLICY_INTERVAL_MS) return;
    this.#policyAt = this.#clock.now();
    // the next look tells of an outage
    const policy = await connection.evictionPolicy().catch(() => undefined);
    if (connection === this.#connection) this.#evictionPolicy = policy;
  }

  #noteBacklog(waiting: number): void {
    if (!this.#hasBacklog && waiting > BACKLOG_MESSAGES) {
      this.#hasBacklog = true;
      this.#log.warn(asSentence(backlogOf(waiting)));
    } else if (this.#hasBacklog && waiting < BACKLOG_MESSAGES * BACKLOG_OVER) {
      this.#hasBacklog = false;
      this.#log.info(`The ${CAUSE.backlog} is over: ${waiting} messages wait`);
    }
  }

  #foundAgain(): void {
    if (this.#lostAt === undefined) return;
    this.#log.info(`Redis answers again after ${((this.#clock.now() - this.#lostAt) / 1000).toFixed(1)} s`);
    this.#lostAt = undefined;
  }

  #age({ waiting, oldest }: QueueSizes): number | undefined {
    return waiting === 0 ? 0 : waitSecondsOf(oldest, this.#clock.wallNow());
  }

  #overdue({ redisNow, firstRetryDueMs: firstDueMs }: QueueSizes, sentAt: number): number | undefined {
    const lateMs = this.#lateness.look({ sentAt, heardAt: this.#clock.now(), redisNow, firstDueMs });
    return lateMs === undefined ? undefined : lateMs / 1000;
  }
}

function dueInSeconds({ redisNow, firstRetryDueMs }: QueueSizes): number | undefined {
  if (firstRetryDueMs === undefined || redisNow === undefined) return undefined;
  return Math.max(0, firstRetryDueMs - redisNow) / 1000;
}
