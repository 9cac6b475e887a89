/**
 * Everything one worker consists of, built from its configuration: the composition root that a child of the primary and
 * the `worker` command share.
 */
import { createAttempt } from './attempt.js';
import type { MainServer } from '../delivery/main-server.js';
import { createMainServerClient } from '../delivery/main-server-client.js';
import { areSame, stampOfFiles } from '../delivery/certificate-files.js';
import { credentialsFor, readCredentials, type Credentials } from '../delivery/tls-credentials.js';
import { CircuitBreaker } from '../domain/circuit-breaker.js';
import { createCertificateWatch } from '../duties/certificate-watch.js';
import type { Duty } from '../duties/duty.js';
import { createLeaseRenewal } from '../duties/lease-renewal.js';
import { createMetricsServer, type MetricsServer } from '../duties/metrics-server.js';
import { createRecoverer } from '../duties/recoverer.js';
import { createRetryScheduler } from '../duties/retry-scheduler.js';
import { RedisQueue } from '../queue/claims-and-settlements.js';
import { address } from '../queue/connection.js';
import { readiness } from './readiness.js';
import { systemClock } from '../shared/time/clock.js';
import type { Config } from '../shared/config/config.js';
import { RedisUnavailableError, reasonOf } from '../shared/errors.js';
import type { Beat, CertificateDates, Identity } from '../shared/ipc.js';
import type { Logger } from '../shared/logger/logger.js';
import type { Counts } from '../shared/metrics/counts.js';
import type { MetricJson } from '../shared/metrics/metric-json.js';
import { createWorkerMetrics } from '../shared/metrics/worker-metrics.js';
import { StatusUpdates } from './status-updates.js';
import { Worker } from './work-loop.js';

export interface WorkerProcessOptions {
  readonly config: Config;
  readonly identity: Identity;
  readonly log: Logger;
  /** Called at every turn of the work loop. */
  readonly onTurn: () => void;
  readonly onConsumer: (consumer: string) => void;
}

export class WorkerProcess {
  readonly #options: WorkerProcessOptions;
  readonly #clock = systemClock;
  readonly #metrics;
  readonly #breaker = new CircuitBreaker({ random: Math.random });
  readonly #queue: RedisQueue;
  readonly #server: MainServer;
  readonly #worker: Worker;
  readonly #metricsServer: MetricsServer;
  readonly #duties: readonly Duty[];
  /** In use now. */
  #certificates: readonly CertificateDates[] = [];
  /** We were told what Redis is. */
  #knowsRedis = false;
  #activatedAt: number | undefined;
  #ending = false;
  #outageSince: number | undefined;
  #redisProblem: string | undefined;

  /** Rejects nothing, connects in the background. Throws CredentialsError when the certificates cannot be used. */
  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    const { config, identity, log } = options;
    const { workerId } = identity;
    const clock = this.#clock;
    const breaker = this.#breaker;
    this.#metrics = createWorkerMetrics(workerId, { droppedLogLines: () => log.stats().dropped });
    // before the files are read: what changes between the two is seen as a change
    const stamp = stampOfFiles(config);
    const credentials = credentialsFor(config, clock.wallNow());
    this.#server = createMainServerClient({ config, credentials, workerId, clock, log });
    this.#queue = new RedisQueue({ config, workerId, nonce: identity.nonce, clock, events: this.#queueEvents() });
    const statusUpdates = new StatusUpdates({
      server: this.#server,
      retryIntervalMs: config.worker.retryIntervalMs,
      parallel: config.worker.concurrency,
      clock,
      log,
    });
    this.#worker = new Worker({
      queue: this.#queue,
      attempt: createAttempt({ config, workerId, server: this.#server, breaker, metrics: this.#metrics, clock, log }),
      statusUpdates,
      server: this.#server,
      breaker,
      limits: config.worker,
      metrics: this.#metrics,
      clock,
      log,
      onTurn: options.onTurn,
    });
    this.#metricsServer = createMetricsServer({
      host: config.metrics.host,
      port: identity.metricsPort,
      enabled: config.metrics.enabled,
      registry: this.#metrics.registry,
      clock,
      log,
    });
    const queue = this.#queue;
    this.#duties = [
      createLeaseRenewal({ queue, clock, log }),
      createRetryScheduler({ queue: queue.background, clock, log }),
      createRecoverer({
        queue: queue.background,
        ownConsumer: () => queue.consumer,
        metrics: this.#metrics,
        clock,
        log,
      }),
      ...this.#certificateWatch(credentials, stamp),
    ];
  }

  /** Waits up to `timeoutMs` for Redis and asks what it is. Rejects with UnusableRedisError when it is too old. */
  async reachRedis(timeoutMs: number): Promise<boolean> {
    await this.#queue.whenReady(timeoutMs);
    if (this.#queue.isReady()) await this.#inspectRedis();
    return this.#knowsRedis;
  }

  /** Rejects with UnusableRedisError. A connection that is lost meanwhile calls it again when it is back. */
  async #inspectRedis(): Promise<void> {
    const facts = await this.#queue.inspect().catch((error: unknown) => {
      if (error instanceof RedisUnavailableError) return undefined;
      throw error;
    });
    if (!facts) return;
    this.#knowsRedis = true;
    const { evictionPolicy } = facts;
    const safe = evictionPolicy === '' || evictionPolicy === 'noeviction';
    this.#metrics.setEvictionSafe(safe);
    if (!safe) {
      this.#options.log.warn(
        `Redis at ${address(this.#options.config.redis)} has maxmemory-policy ${evictionPolicy}, which can delete the queue; set it to noeviction`,
      );
    }
  }

  /** Takes the metrics port and starts to claim. */
  async activate(): Promise<void> {
    if (this.#ending) return;
    const { config, identity, log } = this.#options;
    this.#activatedAt = this.#clock.now();
    await this.#metricsServer.start();
    log.info(
      `Configuration: retry_interval=${config.worker.retryIntervalMs / 1000}s, max_attempts=${config.worker.maxAttempts}, concurrency=${config.worker.concurrency}`,
    );
    if (!config.queue.reliable)
      log.warn(`Worker ${identity.workerId} pops messages without a safety copy (WORKER_QUEUE_RELIABLE=false)`);
    for (const duty of this.#duties) duty.start();
    this.#worker.start();
  }

  /** Claims nothing more and releases the metrics port; what is in flight goes on. */
  async quiet(): Promise<void> {
    await Promise.all([this.#metricsServer.stop(), this.#worker.quiet()]);
  }

  /**
   * Finishes what is in flight, hands back the rest at the deadline, and closes everything. The lease is renewed until
   * the last claim is settled; connections close after those who use them.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.#ending = true;
    await this.#worker.drain(deadlineMs);
    await Promise.all([this.#metricsServer.stop(), ...this.#duties.map((duty) => duty.stop())]);
    await Promise.all([this.#server.close(), this.#queue.close()]);
    this.#options.log.info(`Worker ${this.#options.identity.workerId} stopped`);
  }

  /** Cuts what is in flight and hands it back; `drain` then resolves. */
  kill(): void {
    this.#worker.kill();
  }

  beat(eventLoopLagSeconds: number): Beat {
    const { state, reasons, consuming } = this.#readiness();
    return {
      state,
      reasons,
      consuming,
      inFlight: this.#worker.inFlightCount,
      certificates: this.#certificates,
      eventLoopLagSeconds,
      redisUp: this.#queue.isReady(),
      breaker: this.#breaker.state,
    };
  }

  counts(): Promise<Counts> {
    return this.#metrics.counts();
  }

  gauges(): Promise<readonly MetricJson[]> {
    return this.#metrics.gauges();
  }

  #readiness() {
    if (this.#activatedAt === undefined) return { state: 'standby' as const, reasons: [], consuming: false };
    return readiness({
      now: this.#clock.now(),
      activatedAt: this.#activatedAt,
      consumedAt: this.#worker.consumedAt,
      draining: this.#worker.isStopping,
      redisProblem: this.#queue.isReady() ? undefined : (this.#redisProblem ?? this.#queue.problem()),
      breaker: this.#breaker,
      slotsFull: this.#worker.slotsFull,
      metricsPortTaken: this.#metricsServer.state() === 'port_taken' ? this.#options.identity.metricsPort : undefined,
    });
  }

  /** None for an `http://` main server, which has no credentials. */
  #certificateWatch(credentials: Credentials | undefined, stampWhenRead: string): Duty[] {
    if (!credentials) return [];
    const server = this.#server;
    const metrics = this.#metrics;
    const clock = this.#clock;
    const { config, log } = this.#options;
    const note = ({ notAfter: dates }: Credentials) => {
      this.#certificates = dates;
      for (const { file, notAfter } of dates) metrics.setCertificateNotAfter(file, notAfter / 1000);
    };
    note(credentials);
    let current = credentials;
    const certificates = {
      get current() {
        return current;
      },
      stamp: () => stampOfFiles(config),
      read: () => readCredentials(config.tls, config.mainServer.verifyTls, clock.wallNow()),
      isCurrent: (other: Credentials) => areSame(current, other),
      use: (renewed: Credentials) => {
        server.useCredentials(renewed);
        current = renewed;
        note(renewed);
      },
    };
    const intervalMs = config.tls.checkIntervalMs;
    return [createCertificateWatch({ certificates, stampWhenRead, intervalMs, clock, log })];
  }

  #queueEvents() {
    const { config, identity, log } = this.#options;
    return {
      onConnected: () => {
        const after =
          this.#outageSince === undefined
            ? ''
            : ` after ${((this.#clock.now() - this.#outageSince) / 1000).toFixed(1)} s`;
        this.#outageSince = undefined;
        this.#redisProblem = undefined;
        this.#metrics.setRedisUp(true);
        log.info(`Connected to Redis at ${address(config.redis)}${after}`);
        // at boot it is asked by reachRedis, whose caller may refuse it
        if (this.#knowsRedis || this.#activatedAt === undefined) return;
        this.#inspectRedis().catch((error: unknown) => log.error(reasonOf(error)));
      },
      onDisconnected: (problem: string) => {
        this.#outageSince = this.#clock.now();
        this.#redisProblem = problem;
        this.#metrics.setRedisUp(false);
        log.error(problem);
      },
      onLeaseLost: (consumer: string) => {
        log.warn(
          `Worker ${identity.workerId} lost its lease: what it held may be delivered by others; going on as ${consumer}`,
        );
        this.#options.onConsumer(consumer);
      },
    };
  }
}

/** For the log and the primary: why a worker could not start. */
export function bootProblem(error: unknown): { readonly code: string; readonly message: string } {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'E_UNEXPECTED';
  return { code, message: reasonOf(error) };
}
