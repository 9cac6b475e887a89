/**
 * The primary's loop, and the parts it needs.
 *
 *   round: act on the signals that came → reconcile the workers → start a reload or a replacement if one is due
 *          → sleep until something happens or the next deadline
 *
 * Signal handlers, child messages and exits only wake the loop; all decisions are taken in it. The loop ends when we are
 * stopping and the last child is gone.
 */
import type { Clock } from '../../src/shared/time/clock.js';
import type { LoadedConfig } from '../../src/shared/config/load.js';
import { packageVersion } from '../../src/shared/config/package-root.js';
import type { Logger } from '../../src/shared/logger/logger.js';
import { Wake } from '../../src/shared/time/wake.js';
import type { Route } from '../admin/route.js';
import { createAdminServer } from '../admin/tcp-server.js';
import { controlRoutes } from '../admin/control-routes.js';
import { controlSocketPath, createControlSocket } from '../admin/unix-socket.js';
import { deadLetterRoutes } from '../admin/dead-letter-routes.js';
import { forkChild } from '../workers/forked-child.js';
import { ClaimRecovery } from '../queue/claim-recovery.js';
import { Dashboard } from '../dashboard/dashboard.js';
import { CountLedger } from '../status/counts.js';
import { MetricsAggregator } from '../status/metrics-aggregator.js';
import { Operations } from '../rollout/operations.js';
import { startOrphanGuardian, type OrphanGuardian } from '../workers/orphan-guardian.js';
import { QueueAccess } from '../queue/queue-access.js';
import { QueueMonitor } from '../queue/queue-monitor.js';
import { createResourceMonitor } from '../workers/resource-monitor.js';
import { ReplacementError } from '../rollout/rolling-restart.js';
import { readRoutes } from '../admin/read-routes.js';
import { createServiceNotifier } from './sd-notify.js';
import { SignalInbox, type ReceivedSignal } from './signals.js';
import { Sampler } from '../status/sampler.js';
import { statusDocument } from '../status/status-builder.js';
import type { StatusDocument, SupervisorState } from '../status/status-document.js';
import { statusLines } from '../status/status-lines.js';
import { SupervisorMetrics } from '../status/supervisor-metrics.js';
import { WorkerPool } from '../workers/worker-pool.js';
import { slotIdentity } from '../workers/worker-slot.js';

export interface SupervisorOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration again from the same sources; throws ConfigError. */
  readonly reload: () => LoadedConfig;
  /** Compiled entry of the children. */
  readonly childEntry: string;
}

const LONGEST_SLEEP_MS = 1_000;
/** Keeps a deadline that has passed but may not be acted on yet from turning the loop into a spin. */
const SHORTEST_SLEEP_MS = 10;
/** Our timer this late means that we were suspended or starved: beats lie unread, so for as long again nobody is judged. */
const SUSPENDED_MS = 2_000;
/** systemd's watchdog gets its ping while the loop has turned within this time. */
const ALIVE_MS = 5_000;
/** After the last child is gone, Redis gets this long to take what killed ones held. */
const LAST_RECOVERY_MS = 1_000;

export class ReconcileLoop {
  readonly #options: SupervisorOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #wake: Wake;
  readonly #signals: SignalInbox;
  readonly #access: QueueAccess;
  readonly #recovery: ClaimRecovery;
  readonly #queue: QueueMonitor;
  readonly #pool: WorkerPool;
  readonly #operations: Operations;
  readonly #counts = new CountLedger();
  readonly #workerMetrics = new MetricsAggregator(this.#counts);
  readonly #sampler: Sampler;
  readonly #notifier;
  readonly #resources;
  readonly #dashboard: Dashboard;
  readonly #admin;
  readonly #socket;
  readonly #guardian: OrphanGuardian;
  readonly #startedAt: number;
  #hasWorked = false;
  #lastRoundAt = 0;
  #judgeFrom = 0;
  #told: { state: SupervisorState; text: string } = { state: 'starting', text: '' };

  constructor(options: SupervisorOptions, log: Logger, clock: Clock) {
    this.#options = options;
    this.#log = log;
    this.#clock = clock;
    const { config } = options.loaded;
    this.#wake = new Wake(clock);
    const wake = (): void => this.#wake.wake();
    this.#startedAt = clock.now();
    this.#signals = new SignalInbox(clock, wake);
    this.#access = new QueueAccess(clock);
    this.#recovery = new ClaimRecovery(this.#access, log, clock);
    this.#queue = new QueueMonitor(this.#access.borrow(config), log, clock);
    this.#notifier = createServiceNotifier(process.env, log);
    this.#pool = new WorkerPool({
      config,
      log,
      clock,
      random: Math.random,
      fork: () => forkChild(log),
      onChange: wake,
      onGone: (handle, slot) => {
        this.#counts.keep(handle, slot);
        if (handle.activatedAt !== undefined) this.#recovery.recoverDead(handle);
      },
    });
    this.#resources = createResourceMonitor({
      log,
      pids: () => this.#pool.processes.map(({ pid }) => pid).filter((pid) => pid > 0),
      limitBytes: () => this.#pool.config.worker.maxMemoryBytes,
      onBloated: (pid, bytes) => this.#operations.requestReplacement(pid, bytes),
    });
    this.#operations = new Operations({
      pool: this.#pool,
      read: options.reload,
      log,
      clock,
      onAdopted: (adopted) => {
        log.setLevel(adopted.logging.level);
        return this.#queue.watch(this.#access.borrow(adopted));
      },
      onChange: wake,
    });
    this.#guardian = startOrphanGuardian(options.childEntry, (error) => {
      log.warn(`Orphans of a dead supervisor will not be ended by force, /bin/sh did not start: ${error.message}`);
    });
    this.#sampler = new Sampler({
      counts: this.#counts,
      slots: () => this.#pool.slots,
      status: () => this.#status(),
      clock,
    });
    this.#dashboard = new Dashboard({ status: () => this.#status(), history: this.#sampler.history, clock });
    const routes = this.#routes();
    this.#admin = createAdminServer({
      ...config.supervisor,
      adminToken: () => this.#pool.config.supervisor.adminToken,
      routes,
      log,
    });
    this.#socket = createControlSocket({ path: controlSocketPath(config.supervisor), routes, log });
  }

  /** Resolves to the exit code. */
  async run(): Promise<number> {
    this.#start();
    for (;;) {
      for (const signal of this.#signals.take()) this.#act(signal);
      this.#lastRoundAt = this.#clock.now();
      this.#pool.reconcile(this.#clock.now() >= this.#judgeFrom);
      this.#guardian.watch(this.#pool.processes.map(({ pid }) => pid));
      this.#giveUpIfFatal();
      this.#operations.startIfDue();
      this.#tellSystemd();
      if (this.#pool.stopping && this.#pool.processes.length === 0) return this.#close();
      await this.#sleep();
    }
  }

  #start(): void {
    const { config, sources, warnings } = this.#options.loaded;
    this.#log.info(`Supervisor ${packageVersion()} (pid ${process.pid}) starts ${config.worker.count} workers`);
    if (sources.configFile !== undefined) this.#log.info(`Configuration file: ${sources.configFile}`);
    for (const warning of warnings) this.#log.warn(warning);
    this.#signals.open();
    this.#admin.start();
    this.#socket.start();
    this.#queue.start();
    this.#resources.start();
    this.#sampler.start();
    this.#dashboard.start();
    this.#recovery.recoverOrphans(config);
    this.#notifier.watch(() => this.#clock.now() - this.#lastRoundAt < ALIVE_MS);
  }

  #act({ action, number }: ReceivedSignal): void {
    switch (action) {
      case 'stop':
        return this.#stop(this.#pool.stopping ? `Received signal ${number} again` : `Received signal ${number}`);
      case 'reload':
        return this.#operations.reloader.request();
      case 'one-more':
        return this.#scaleOrWarn(this.#pool.target + 1);
      case 'one-fewer':
        return this.#scaleOrWarn(this.#pool.target - 1);
      case 'dump':
        return statusLines(this.#status()).forEach((line) => this.#log.info(line));
    }
  }

  #routes(): readonly Route[] {
    const status = (): StatusDocument => this.#status();
    return [
      ...this.#dashboard.routes(),
      ...readRoutes({
        status,
        slots: () => this.#pool.slots,
        metrics: new SupervisorMetrics(),
        workerMetrics: this.#workerMetrics,
      }),
      ...controlRoutes({
        status,
        reload: () => this.#operations.reloader.requested(),
        scale: (workers) => this.#scale(workers),
        restart: (workerId) => this.#restart(workerId),
        stop: (now) => this.#stopAsAsked(now),
      }),
      ...deadLetterRoutes(() => this.#pool.config, this.#clock),
    ];
  }

  /** Unlike a second signal a second request means nothing: its sender may only want to wait for the end. */
  #stopAsAsked(now: boolean): void {
    if (!this.#pool.stopping) this.#stop('Received a request to stop');
    if (now) this.#stop('Received a request to stop now');
  }

  #stop(cause: string): void {
    if (this.#pool.stopping) {
      this.#log.warn(`${cause}, ending at once`);
      return this.#pool.killAll();
    }
    this.#log.info(`${cause}, initiating graceful shutdown...`);
    this.#pool.drainAll();
    this.#operations.refuseAll();
    this.#wake.wake();
  }

  /** Why not, if not. */
  #scale(workers: number): string | undefined {
    const { config, target, stopping } = this.#pool;
    const { metricsPort } = slotIdentity(config, workers);
    if (stopping) return 'The supervisor is stopping.';
    if (workers < 1) return 'There is only one worker left; it stays.';
    if (metricsPort > 65_535) return `No more workers: ${metricsPort} is not a port for metrics.`;
    this.#log.info(`Number of workers: ${target} → ${workers}`);
    this.#pool.scale(workers);
    return undefined;
  }

  #scaleOrWarn(workers: number): void {
    const problem = this.#scale(workers);
    if (problem !== undefined) this.#log.warn(problem);
  }

  #restart(workerId: string): Promise<void> | undefined {
    const { config, slots, stopping } = this.#pool;
    if (stopping) return Promise.reject(new ReplacementError('The supervisor is stopping.'));
    const slot = slots.find(
      ({ current, number }) => (current?.workerId ?? slotIdentity(config, number).workerId) === workerId,
    );
    return slot && this.#operations.restart(slot);
  }

  #giveUpIfFatal(): void {
    const { fatal, stopping } = this.#pool;
    if (!fatal || stopping) return;
    this.#log.error(`No worker can start: ${fatal.reason}`);
    this.#pool.killAll();
  }

  /** `running` as soon as a worker is at work, even without Redis: waiting for it is our work too. */
  #state(): SupervisorState {
    if (this.#pool.stopping) return 'stopping';
    if (this.#operations.isReloading) return 'reloading';
    this.#hasWorked ||= this.#pool.processes.some(({ stage }) => stage === 'active');
    return this.#hasWorked ? 'running' : 'starting';
  }

  #tellSystemd(): void {
    const state = this.#state();
    const ready = this.#pool.slots.filter(({ current }) => current?.isConsuming).length;
    const text = `${ready} of ${this.#pool.target} workers ready`;
    if (state !== this.#told.state) this.#notifier.changed(state, text);
    else if (state === 'running' && text !== this.#told.text) this.#notifier.status(text);
    this.#told = { state, text };
  }

  async #sleep(): Promise<void> {
    const ms = Math.max(
      SHORTEST_SLEEP_MS,
      Math.min(this.#pool.dueInMs(), this.#operations.dueInMs(), LONGEST_SLEEP_MS),
    );
    const due = this.#clock.now() + ms;
    await this.#wake.sleep(ms);
    if (this.#clock.now() - due > SUSPENDED_MS) this.#judgeFrom = this.#clock.now() + SUSPENDED_MS;
  }

  #status(): StatusDocument {
    const { last, counts } = this.#operations.reloader;
    const { config } = this.#pool;
    const reload = last && !last.ok ? [`the last reload failed: ${last.reason}`] : [];
    const troubles = [this.#admin.trouble(), this.#socket.trouble()].filter((trouble) => trouble !== undefined);
    return statusDocument({
      now: this.#clock.now(),
      wallNow: this.#clock.wallNow(),
      startedAt: this.#startedAt,
      version: packageVersion(),
      state: this.#state(),
      workersWanted: this.#pool.target,
      lastReload: last,
      reloads: counts,
      reasons: [...reload, ...troubles],
      slots: this.#pool.slots,
      identity: (slot) => slotIdentity(config, slot),
      usage: (pid) => this.#resources.usage(pid),
      queueName: config.queue.name,
      redisUp: this.#queue.redisUp,
      queue: this.#queue.sight,
      counts: this.#counts,
      traffic: this.#sampler.traffic,
      errors: this.#sampler.errors,
      evictionPolicy: this.#queue.evictionPolicy,
    });
  }

  /** What uses the connection to Redis ends before it; the log ends last, in runSupervisor. */
  async #close(): Promise<number> {
    this.#resources.stop();
    await Promise.all([this.#sampler.stop(), this.#dashboard.stop()]);
    await this.#operations.idle();
    await Promise.all([this.#recovery.stop(LAST_RECOVERY_MS), this.#admin.stop(), this.#socket.stop()]);
    await this.#queue.stop();
    await this.#notifier.close();
    this.#guardian.stop();
    this.#signals.close();
    this.#log.info('Supervisor stopped');
    return this.#pool.fatal?.exitCode ?? (this.#pool.forced > 0 ? 1 : 0);
  }
}
