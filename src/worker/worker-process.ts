/**
 * One worker, as a child of the primary and the `worker` command run it.
 *
 *   built ──reachRedis()──▶ booted, on standby ──activate()──▶ active ──quiet()──▶ quiet ──drain()──▶ stopped
 *
 * Nothing is claimed and no port is taken before `activate`. `drain` may come at any time; `kill` shortens it.
 */
import type { Beat, ClaimsInHand } from '../shared/ipc.js';
import type { Life } from '../shared/life.js';
import type { Counts } from '../shared/metrics/counts.js';
import type { MetricJson } from '../shared/metrics/metric-json.js';
import { beatOf } from './beat.js';
import { claimsInHand } from './claims-in-hand.js';
import { presenceOfOneAlone } from './presence.js';
import { composeWorker, type WorkerOptions, type WorkerParts } from './composition.js';

/** A worker that waits for Redis longer boots without it. */
const REDIS_AT_BOOT_MS = 10_000;
/** A main server that is slow, or away, must not hold up a boot: this is a look, not a condition. */
const ROUTE_AT_BOOT_MS = 1_000;

export class WorkerProcess {
  readonly #options: WorkerOptions;
  readonly #parts: WorkerParts;
  /** A supervisor speaks for its workers. */
  readonly #presence: Life | undefined;
  #activatedAt: number | undefined;
  #ending = false;

  /** Throws CredentialsError when the certificates cannot be used. */
  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#parts = composeWorker(options);
    this.#presence = options.isAlone ? presenceOfOneAlone(options, this.#parts, () => this.beat(0)) : undefined;
  }

  /**
   * Connects to Redis, waits for it for some time and asks what it is. Rejects with UnusableRedisError when it is too old,
   * and with ConfigError when the authority of its certificate cannot be read.
   */
  async reachRedis(): Promise<boolean> {
    const { connections, redisWatch, queue } = this.#parts;
    await startAll(connections);
    return redisWatch.reach(queue, REDIS_AT_BOOT_MS);
  }

  /**
   * Whether the main server has the route that messages are POSTed to; true when it does not say so in time. Delivers
   * nothing.
   */
  async hasRoute(): Promise<boolean> {
    const { clock } = this.#options;
    const limit = new AbortController();
    const late = clock.sleep(ROUTE_AT_BOOT_MS, limit.signal).then(() => true);
    const hasRoute = await Promise.race([this.#parts.server.hasRoute(), late]);
    limit.abort();
    return hasRoute;
  }

  /** Takes the metrics port and starts to claim. */
  async activate(): Promise<void> {
    if (this.#ending) return;
    this.#activatedAt = this.#options.clock.now();
    const { duties, workLoop } = this.#parts;
    await startAll(duties);
    await this.#presence?.start();
    this.#announce();
    workLoop.start();
  }

  /** Claims nothing more and releases the metrics port; what is in flight goes on. */
  async quiet(): Promise<void> {
    await Promise.all([this.#parts.metricsServer.stop(), this.#parts.workLoop.quiet()]);
  }

  /** Finishes what is in flight, hands back the rest at the deadline, and closes everything. */
  async drain(deadlineMs: number): Promise<void> {
    this.#ending = true;
    const { connections, duties, workLoop } = this.#parts;
    const { identity, log } = this.#options;
    log.info(`Stopping worker ${identity.workerId}...`);
    await workLoop.drain(deadlineMs);
    await stopAll(duties);
    await this.#presence?.stop();
    await this.#leave();
    await stopAll(connections);
    log.info(`Worker ${identity.workerId} stopped`);
    log.info('Worker shutdown complete');
  }

  /** After the renewals, or the lease would come back. What cannot be given up runs out. */
  async #leave(): Promise<void> {
    const { queue, workLoop } = this.#parts;
    if (queue.isReady()) await queue.leave(workLoop.facts.knowsItsClaims).catch(() => undefined);
  }

  /** Cuts what is in flight and hands it back; `drain` then resolves. */
  kill(): void {
    this.#parts.workLoop.kill();
  }

  beat(eventLoopLagSeconds: number): Beat {
    const times = { now: this.#options.clock.now(), activatedAt: this.#activatedAt };
    return beatOf(this.#parts, times, eventLoopLagSeconds);
  }

  counts(): Promise<Counts> {
    return this.#parts.metrics.counts();
  }

  /** Apart from what is counted: their collection reads files of /proc. */
  gauges(): Promise<readonly MetricJson[]> {
    return this.#parts.metrics.gauges();
  }

  /** What it has claimed, and what of that is begun. */
  claims(): ClaimsInHand {
    return claimsInHand(this.#parts.workLoop.claims, this.#parts.notBegun);
  }

  #announce(): void {
    const { config, identity, log } = this.#options;
    const { retryIntervalMs, maxAttempts, concurrency } = config.worker;
    log.info(
      `Configuration: retry_interval=${retryIntervalMs / 1000}s, max_attempts=${maxAttempts}, concurrency=${concurrency}`,
    );
    if (!config.queue.reliable) {
      log.warn(`Worker ${identity.workerId} pops messages without a safety copy (WORKER_QUEUE_RELIABLE=false)`);
    }
  }
}

async function startAll(parts: readonly Life[]): Promise<void> {
  for (const part of parts) await part.start();
}

async function stopAll(parts: readonly Life[]): Promise<void> {
  await Promise.all(parts.map((part) => part.stop()));
}
