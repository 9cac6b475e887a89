/**
 * A worker as a process: forked by the primary (this file is the entry point) or alone (`worker` command).
 *
 * A child ignores SIGINT and SIGHUP, since Ctrl-C and a closed terminal reach the whole group and only the primary
 * decides. When the primary dies the channel closes: the child drains and exits by itself. One whose loop is blocked is
 * ended by the primary's guardian (supervisor/orphan-guardian.ts), on Windows by a thread of its own.
 */
import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from './shared/clock.js';
import type { LoadedConfig } from './shared/config/load.js';
import { EXIT_CONFIG } from './shared/errors.js';
import type { Identity, ToChild, ToPrimary } from './shared/ipc.js';
import { readToChild } from './shared/ipc.js';
import { createLogger } from './shared/logger/logger.js';
import type { Logger } from './shared/logger/logger.js';
import { startOrphanWatchdog } from './orphan-watchdog.js';
import { bootProblem, WorkerProcess } from './worker-process.js';

/** A child that waits for Redis longer boots without it. */
const REDIS_AT_BOOT_MS = 10_000;
const BEAT_EVERY_MS = 1_000;
/** While it is not ready: the primary waits for that word. */
const EARLY_BEAT_EVERY_MS = 25;
/** Orphans must be gone 15 s after the primary, with what they hold settled or handed back. */
const ORPHAN_DRAIN_MS = 8_000;
const EXIT_FAILURE = 1;

/** One worker without cluster; resolves to the exit code once everything is closed. */
export async function runStandaloneWorker(loaded: LoadedConfig): Promise<number> {
  const { config } = loaded;
  const workerId = config.worker.id || `worker-${process.pid}`;
  const log = createLogger({ logging: config.logging, name: workerId, ownsRotation: true, clock: systemClock });
  dieLoudly(log);
  try {
    for (const warning of loaded.warnings) log.warn(warning);
    log.info(`Worker ${workerId} starting...`);
    const identity = { workerId, metricsPort: config.metrics.port, nonce: newNonce() };
    const worker = new WorkerProcess({ config, identity, log, onTurn: () => undefined, onConsumer: () => undefined });
    const stopped = stopOnSignals(worker, log, config.worker.shutdownTimeoutMs);
    await worker.reachRedis(REDIS_AT_BOOT_MS);
    await worker.activate();
    await stopped;
    return 0;
  } catch (error) {
    const { code, message } = bootProblem(error);
    log.error(message);
    return CONFIG_CODES.has(code) ? EXIT_CONFIG : EXIT_FAILURE;
  } finally {
    await log.close();
  }
}

/** What a restart cannot mend. */
const CONFIG_CODES = new Set(['E_CONFIG', 'E_CREDENTIALS', 'E_REDIS_UNUSABLE']);

function newNonce(): string {
  return randomBytes(6).toString('hex');
}

/** First SIGTERM or SIGINT: drain. Second: hand back and exit. */
async function stopOnSignals(worker: WorkerProcess, log: Logger, deadlineMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let stopping = false;
    const stop = (name: string, signal: number) => {
      if (stopping) return worker.kill();
      stopping = true;
      log.info(`Received signal ${signal} (${name}), initiating graceful shutdown...`);
      worker.drain(deadlineMs).then(resolve, reject);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.on('SIGHUP', () =>
      log.warn('SIGHUP reloads a supervisor; this single worker goes on as it is (restart it)'),
    );
  });
}

/** A bug: say it, and let those who watch us recover what we held. */
function dieLoudly(log: Logger): void {
  const die = (error: unknown) => {
    log.crash(
      `Unexpected failure, exiting: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    process.exit(EXIT_FAILURE);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

/** The child's side of the protocol in shared/ipc.ts. */
class Child {
  private log: Logger | undefined;
  private worker: WorkerProcess | undefined;
  private beatAt = -Infinity;
  /** 0 = at each turn, until the first claim: on an empty queue the turn after it is followed by half a second of rest. */
  private beatEveryMs = 0;
  private pushed = { total: 0, at: -Infinity };
  private shutdownMs = ORPHAN_DRAIN_MS;
  private draining = false;
  private readonly delay = monitorEventLoopDelay({ resolution: 20 });

  start(): void {
    const ignore = () => undefined;
    process.on('SIGINT', ignore);
    process.on('SIGHUP', ignore);
    process.on('SIGTERM', () => this.drain(this.shutdownMs));
    process.on('message', (message: unknown) => {
      const known = readToChild(message);
      if (known) this.obey(known);
    });
    cluster.worker?.once('disconnect', () => this.orphaned());
    if (process.platform === 'win32') startOrphanWatchdog();
    this.delay.enable();
    void this.tell({ type: 'hello' });
  }

  private obey(message: ToChild): void {
    switch (message.type) {
      case 'configure':
        void this.boot(message.config, message.identity);
        return;
      case 'activate':
        void this.worker?.activate();
        return;
      case 'quiet':
        void this.worker?.quiet().then(() => void this.tell({ type: 'quieted' }));
        return;
      case 'drain':
        this.drain(message.deadlineMs);
        return;
      case 'kill':
        this.worker?.kill();
        this.drain(0);
        return;
      case 'collect-metrics':
        void this.sendMetrics(message.request);
    }
  }

  private async boot(config: LoadedConfig['config'], identity: Identity): Promise<void> {
    const { workerId } = identity;
    this.shutdownMs = config.worker.shutdownTimeoutMs;
    this.log = createLogger({ logging: config.logging, name: workerId, ownsRotation: false, clock: systemClock });
    dieLoudly(this.log);
    this.log.info(`Worker ${workerId} starting...`);
    try {
      this.worker = new WorkerProcess({
        config,
        identity,
        log: this.log,
        onTurn: () => this.beat(),
        onConsumer: (consumer) => void this.tell({ type: 'consumer', consumer }),
      });
      const redisReached = await this.worker.reachRedis(REDIS_AT_BOOT_MS);
      void this.tell({ type: 'booted', redisReached });
    } catch (error) {
      const problem = bootProblem(error);
      this.log.error(problem.message);
      void this.tell({ type: 'boot-failed', ...problem });
      await this.exit(CONFIG_CODES.has(problem.code) ? EXIT_CONFIG : EXIT_FAILURE);
    }
  }

  private beat(): void {
    const now = systemClock.now();
    if (!this.worker || now - this.beatAt < this.beatEveryMs) return;
    this.beatAt = now;
    const beat = this.worker.beat(this.delay.percentile(99) / 1e9);
    if (beat.state === 'ready') this.beatEveryMs = BEAT_EVERY_MS;
    else if (beat.consuming || this.beatEveryMs > 0) this.beatEveryMs = EARLY_BEAT_EVERY_MS;
    void this.tell({ type: 'beat', beat });
    this.delay.reset();
    const total = beat.processed + beat.failed + beat.retried;
    if (total === this.pushed.total || now - this.pushed.at < BEAT_EVERY_MS) return;
    this.pushed = { total, at: now };
    void this.pushCounts();
  }

  /** Unasked, about once a second while something is counted: a child that is killed takes that much with it at most. */
  private async pushCounts(): Promise<void> {
    if (!this.worker) return;
    await this.tell({ type: 'metrics', request: 0, metrics: await this.worker.collectCounts() });
  }

  private async sendMetrics(request: number): Promise<void> {
    if (!this.worker) return;
    void this.tell({ type: 'metrics', request, metrics: await this.worker.collectMetrics() });
  }

  private drain(deadlineMs: number): void {
    if (this.draining) return;
    this.draining = true;
    const drained = this.worker?.drain(deadlineMs) ?? Promise.resolve();
    void drained.then(() => this.pushCounts()).then(() => this.exit(0));
  }

  /** node:cluster would exit at once with what is in flight; `exitedAfterDisconnect` set in time keeps it from that. */
  private orphaned(): void {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    this.log?.error('The supervisor is gone; finishing what is in flight and stopping');
    this.drain(Math.min(this.shutdownMs, ORPHAN_DRAIN_MS));
    // one that drains already has a deadline of its own, after which the guardian would have killed it
    setTimeout(() => this.worker?.kill(), ORPHAN_DRAIN_MS);
  }

  /** Resolves when it is on its way. The primary may be gone at any moment: `disconnect` tells us. */
  private tell(message: ToPrimary): Promise<void> {
    return new Promise((resolve) => {
      if (process.connected && process.send) process.send(message, undefined, undefined, () => resolve());
      else resolve();
    });
  }

  private async exit(code: number): Promise<void> {
    await this.log?.close();
    process.exit(code);
  }
}

if (cluster.isWorker) new Child().start();
