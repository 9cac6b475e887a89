/**
 * A worker forked by the primary.
 *
 * A child ignores SIGINT and SIGHUP, since Ctrl-C and a closed terminal reach the whole group and only the primary
 * decides. When the primary dies the channel closes: the child drains and exits by itself. One whose loop is blocked is
 * ended by the primary's guardian (supervisor/orphan-guardian.ts), on Windows by a thread of its own.
 */
import cluster from 'node:cluster';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../shared/time/clock.js';
import type { LoadedConfig } from '../shared/config/load.js';
import { exitCodeOf } from '../shared/errors.js';
import { readToChild, type Identity, type ToChild, type ToPrimary } from '../shared/ipc.js';
import { createLogger, type Logger } from '../shared/logger/logger.js';
import { dieLoudly } from './die-loudly.js';
import { startOrphanWatchdog } from './orphan-watchdog.js';
import { bootProblem, WorkerProcess } from './worker-process.js';

/** A child that waits for Redis longer boots without it. */
const REDIS_AT_BOOT_MS = 10_000;
const BEAT_EVERY_MS = 1_000;
/** While it is not ready: the primary waits for that word. */
const EARLY_BEAT_EVERY_MS = 25;
/** Orphans must be gone 15 s after the primary, with what they hold settled or handed back. */
const ORPHAN_DRAIN_MS = 8_000;
/** The child's side of the protocol in shared/ipc.ts. */
export class Child {
  #log: Logger | undefined;
  #worker: WorkerProcess | undefined;
  #beatAt = -Infinity;
  /** 0 = at each turn, until the first claim: on an empty queue the turn after it is followed by half a second of rest. */
  #beatEveryMs = 0;
  #countedAt = -Infinity;
  #shutdownMs = ORPHAN_DRAIN_MS;
  #draining = false;
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });

  start(): void {
    const ignore = () => undefined;
    process.on('SIGINT', ignore);
    process.on('SIGHUP', ignore);
    process.on('SIGTERM', () => this.#drain(this.#shutdownMs));
    process.on('message', (message: unknown) => {
      const known = readToChild(message);
      if (known) this.#obey(known);
    });
    cluster.worker?.once('disconnect', () => this.#orphaned());
    if (process.platform === 'win32') startOrphanWatchdog();
    this.#delay.enable();
    void this.#tell({ type: 'hello' });
  }

  #obey(message: ToChild): void {
    switch (message.type) {
      case 'configure':
        void this.#boot(message.config, message.identity);
        return;
      case 'activate':
        void this.#worker?.activate();
        return;
      case 'quiet':
        void this.#worker?.quiet().then(() => void this.#tell({ type: 'quieted' }));
        return;
      case 'drain':
        this.#drain(message.deadlineMs);
        return;
      case 'kill':
        this.#worker?.kill();
        this.#drain(0);
        return;
      case 'collect-gauges':
        void this.#sendGauges(message.request);
    }
  }

  async #boot(config: LoadedConfig['config'], identity: Identity): Promise<void> {
    const { workerId } = identity;
    this.#shutdownMs = config.worker.shutdownTimeoutMs;
    this.#log = createLogger({ logging: config.logging, name: workerId, ownsRotation: false, clock: systemClock });
    dieLoudly(this.#log);
    this.#log.info(`Worker ${workerId} starting...`);
    try {
      this.#worker = new WorkerProcess({
        config,
        identity,
        log: this.#log,
        onTurn: () => this.#beat(),
        onConsumer: (consumer) => void this.#tell({ type: 'consumer', consumer }),
      });
      const redisReached = await this.#worker.reachRedis(REDIS_AT_BOOT_MS);
      void this.#tell({ type: 'booted', redisReached });
    } catch (error) {
      const problem = bootProblem(error);
      this.#log.error(problem.message);
      void this.#tell({ type: 'boot-failed', ...problem });
      await this.#exit(exitCodeOf(problem.code));
    }
  }

  #beat(): void {
    const now = systemClock.now();
    if (!this.#worker || now - this.#beatAt < this.#beatEveryMs) return;
    this.#beatAt = now;
    const beat = this.#worker.beat(this.#delay.percentile(99) / 1e9);
    if (beat.state === 'ready') this.#beatEveryMs = BEAT_EVERY_MS;
    else if (beat.consuming || this.#beatEveryMs > 0) this.#beatEveryMs = EARLY_BEAT_EVERY_MS;
    void this.#tell({ type: 'beat', beat });
    this.#delay.reset();
    if (now - this.#countedAt < BEAT_EVERY_MS) return;
    this.#countedAt = now;
    void this.#sendCounts();
  }

  /** About once a second, also when nothing was counted: rates are taken from one to the next. */
  async #sendCounts(): Promise<void> {
    if (!this.#worker) return;
    await this.#tell({ type: 'counts', counts: await this.#worker.counts() });
  }

  async #sendGauges(request: number): Promise<void> {
    if (!this.#worker) return;
    await this.#sendCounts();
    void this.#tell({ type: 'gauges', request, gauges: await this.#worker.gauges() });
  }

  #drain(deadlineMs: number): void {
    if (this.#draining) return;
    this.#draining = true;
    const drained = this.#worker?.drain(deadlineMs) ?? Promise.resolve();
    void drained.then(() => this.#sendCounts()).then(() => this.#exit(0));
  }

  /** node:cluster would exit at once with what is in flight; `exitedAfterDisconnect` set in time keeps it from that. */
  #orphaned(): void {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    this.#log?.error('The supervisor is gone; finishing what is in flight and stopping');
    this.#drain(Math.min(this.#shutdownMs, ORPHAN_DRAIN_MS));
    // one that drains already has a deadline of its own, after which the guardian would have killed it
    setTimeout(() => this.#worker?.kill(), ORPHAN_DRAIN_MS);
  }

  /** Resolves when it is on its way. The primary may be gone at any moment: `disconnect` tells us. */
  #tell(message: ToPrimary): Promise<void> {
    return new Promise((resolve) => {
      if (process.connected && process.send) process.send(message, undefined, undefined, () => resolve());
      else resolve();
    });
  }

  async #exit(code: number): Promise<void> {
    await this.#log?.close();
    process.exit(code);
  }
}
