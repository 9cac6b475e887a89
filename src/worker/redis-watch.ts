/**
 * What this worker knows of Redis, and says of it.
 *
 *   unknown ──reach(): asked in time──▶ known
 *      └──reach(): no answer in time──▶ unasked ──connected at last, asked──▶ known
 *
 * At boot whoever calls `reach` may refuse a Redis that is too old; later it is an ERROR and nothing more.
 */
import type { RedisQueue, RedisQueueEvents } from '../queue/claims/claims-and-settlements.js';
import { address } from '../queue/connection/problem.js';
import type { Config } from '../shared/config/config.js';
import { reasonOf, RedisUnavailableError } from '../shared/errors.js';
import type { Log } from '../shared/logger/log.js';
import type { WorkerMetrics } from '../shared/metrics/worker-metrics.js';
import type { Clock } from '../shared/time/clock.js';

interface RedisWatchOptions {
  readonly redis: Config['redis'];
  readonly workerId: string;
  readonly metrics: Pick<WorkerMetrics, 'setRedisUp' | 'setEvictionSafe'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The lease was lost and this is the new name. */
  readonly onConsumer: (consumer: string) => void;
}

/** The only maxmemory-policy under which Redis cannot delete the queue to make room. */
const SAFE_POLICY = 'noeviction';

type Reachable = Pick<RedisQueue, 'isReady' | 'whenReady' | 'inspect'>;

export class RedisWatch implements RedisQueueEvents {
  readonly #options: RedisWatchOptions;
  readonly #address: string;
  /** Asked what it is as soon as it is connected. */
  #unasked: Reachable | undefined;
  /** undefined = not known yet. */
  #evictionPolicy: string | undefined;
  #saysNothing = false;
  #outageSince: number | undefined;
  #problem: string | undefined;

  constructor(options: RedisWatchOptions) {
    this.#options = options;
    this.#address = address(options.redis);
  }

  /** What ended the last connection, as a sentence; undefined while there is one, and before the first. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Waits up to `timeoutMs` for Redis and asks what it is. Rejects with UnusableRedisError when it is too old. */
  async reach(queue: Reachable, timeoutMs: number): Promise<boolean> {
    await queue.whenReady(timeoutMs);
    if (queue.isReady() && (await this.#inspect(queue))) return true;
    this.#unasked = queue;
    return false;
  }

  onConnected(): void {
    const { clock, log, metrics } = this.#options;
    const outage = this.#outageSince;
    const after = outage === undefined ? '' : ` after ${((clock.now() - outage) / 1000).toFixed(1)} s`;
    this.#outageSince = undefined;
    this.#problem = undefined;
    metrics.setRedisUp(true);
    log.info(`Connected to Redis at ${this.#address}${after}`);
    if (this.#unasked) this.#inspect(this.#unasked).catch((error: unknown) => log.error(reasonOf(error)));
  }

  onDisconnected(problem: string): void {
    const { clock, log, metrics } = this.#options;
    this.#outageSince = clock.now();
    this.#problem = problem;
    metrics.setRedisUp(false);
    log.error(problem);
  }

  onLeaseLost(consumer: string): void {
    const { log, workerId, onConsumer } = this.#options;
    log.warn(`Worker ${workerId} lost its lease: what it held may be delivered by others; going on as ${consumer}`);
    onConsumer(consumer);
  }

  /** undefined or empty = not known: as good as safe, and what was known before stands. */
  noteEvictionPolicy(policy = ''): void {
    const { log, metrics } = this.#options;
    const former = this.#evictionPolicy;
    const known = policy || (former ?? '');
    const safe = known === '' || known === SAFE_POLICY;
    metrics.setEvictionSafe(safe);
    this.#evictionPolicy = known;
    if (known === former) return;
    if (!safe) {
      log.warn(
        `Redis at ${this.#address} has maxmemory-policy ${known}, which can delete the queue; set it to noeviction`,
      );
    } else if (former !== undefined && former !== '' && former !== SAFE_POLICY) {
      log.info(`Redis at ${this.#address} has maxmemory-policy ${known} now, which is right`);
    }
  }

  /** False = the connection was lost meanwhile. Rejects with UnusableRedisError. */
  async #inspect(queue: Reachable): Promise<boolean> {
    const facts = await queue.inspect().catch((error: unknown) => {
      if (error instanceof RedisUnavailableError) return undefined;
      throw error;
    });
    if (!facts) return false;
    this.#unasked = undefined;
    if (facts.tells) this.noteEvictionPolicy(facts.evictionPolicy);
    else this.#noteSilence();
    return true;
  }

  #noteSilence(): void {
    this.#options.metrics.setEvictionSafe(true);
    if (this.#saysNothing) return;
    this.#saysNothing = true;
    this.#options.log.warn(
      `Redis at ${this.#address} does not answer INFO: its version, and whether it may delete the queue when it is full, are not known; let REDIS_USERNAME call INFO`,
    );
  }
}
