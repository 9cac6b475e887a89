/**
 * Gives everything back to workers that know only the plain list (the Python worker): claims to its right end, since they
 * were next, retries to its left end, as that worker requeues. Each step is one script, so a run may be killed and repeated.
 */
import { RedisUnavailableError } from '../shared/errors.js';
import type { RedisConnection } from './connection/connection.js';
import { replyCode } from './connection/reply.js';
import type { Clock } from '../shared/time/clock.js';
import type { RedisKeys } from './keys.js';
import { LeasesRunningError, readConsumers, readLeases, watchLeases } from './leases/leases-run.js';
import type { RegisteredConsumer } from './background-queue.js';
import { setAside, type Finder } from './set-aside.js';
import { redisScript } from './connection/script.js';

export interface RollbackProgress {
  readonly claims: number;
  readonly retries: number;
}

/** Called once a second while leases are watched, with the ms that are left. */
type OnWatch = (leftMs: number) => void;

export interface Rollback {
  /** Watches the leases for 13 s, unless there are none. Rejects with LeasesRunningError when one of them is renewed. */
  watch(onWatch?: OnWatch): Promise<void>;
  /** Counts what would be moved. */
  pending(): Promise<RollbackProgress>;
  /** Rejects with LeasesRunningError, unless `force`, and with RedisUnavailableError. */
  run(run: RollbackRun): Promise<RollbackProgress>;
}

interface RollbackRun {
  readonly force: boolean;
  readonly onProgress?: (progress: RollbackProgress) => void;
  readonly onWatch?: OnWatch;
}

/** One script moves no more than this many, and no more than these bytes and one message. */
const STEP = 100;
const STEP_BYTES = 1_048_576;

const claimsScript = redisScript('rollback-claims');
const retriesScript = redisScript('rollback-retries', 'retry-head');

export class RedisRollback implements Rollback {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #finder: Finder;
  readonly #clock: Clock;

  constructor(connection: RedisConnection, keys: RedisKeys, clock: Clock) {
    this.#connection = connection;
    this.#keys = keys;
    this.#clock = clock;
    this.#finder = { workerId: 'rollback', clock };
  }

  async watch(onWatch?: OnWatch): Promise<void> {
    await watchLeases({ read: () => this.#leases(), clock: this.#clock, ...(onWatch ? { onWatch } : {}) });
  }

  async pending(): Promise<RollbackProgress> {
    let claims = 0;
    for (const { consumer } of await readConsumers(this.#connection, this.#keys)) {
      // a key of another type holds no claims
      claims += (await this.#connection.callPermitted(0, 'LLEN', this.#keys.processing(consumer))) as number;
    }
    return { claims, retries: (await this.#connection.call('ZCARD', this.#keys.retry)) as number };
  }

  async run({ force, onProgress, onWatch }: RollbackRun): Promise<RollbackProgress> {
    if (!force) await this.watch(onWatch);
    const progress = { claims: 0, retries: 0 };
    const noteMoved = (kind: keyof RollbackProgress, count: number): void => {
      progress[kind] += count;
      if (count > 0) onProgress?.({ ...progress });
    };
    // what was watched and has not moved since, or what others have recovered; the script looks once more
    const consumers = await readConsumers(this.#connection, this.#keys);
    let problem = await this.#retries((count) => noteMoved('retries', count));
    for (const consumer of consumers) {
      try {
        await this.#claimsOf(consumer, force, (count) => noteMoved('claims', count));
      } catch (error) {
        // one key of another type is no reason to keep what the others hold
        if (!(error instanceof RedisUnavailableError) || replyCode(error) !== 'WRONGTYPE') throw error;
        problem ??= error;
      }
    }
    if (problem) throw problem;
    return progress;
  }

  /** Rejects also where Redis refuses a write that does nothing: it refuses renewals as well. */
  async #leases(): Promise<readonly RegisteredConsumer[]> {
    await this.#connection.call('ZREM', this.#keys.consumers, '');
    return readLeases(this.#connection, this.#keys);
  }

  /** Resolves to why foreign members stay where they are, if they do: they keep nobody else from going back. */
  async #retries(onMoved: (count: number) => void): Promise<RedisUnavailableError | undefined> {
    const { retry, queue } = this.#keys;
    let staying = 0;
    let problem: RedisUnavailableError | undefined;
    for (let left = 1; left > 0;) {
      const reply = await retriesScript.run(this.#connection, [retry, queue], [STEP, STEP_BYTES, staying]);
      const [moved, foreign, rest] = reply as [number, Buffer[], number];
      onMoved(moved);
      left = rest - foreign.length - staying;
      try {
        // what no worker has written is no message
        if (foreign.length > 0) await setAside(this.#connection, this.#keys, this.#finder, foreign);
      } catch (error) {
        if (!(error instanceof RedisUnavailableError) || replyCode(error) === undefined) throw error;
        problem ??= error;
        staying += foreign.length;
      }
    }
    return problem;
  }

  async #claimsOf(
    { consumer, score }: RegisteredConsumer,
    force: boolean,
    onMoved: (count: number) => void,
  ): Promise<void> {
    const { queue, consumers, pausedSeen } = this.#keys;
    const held = this.#keys.processing(consumer);
    let seen = force ? '' : score;
    for (let left = 1; left > 0;) {
      const args = [consumer, STEP, STEP_BYTES, seen];
      const reply = await claimsScript.run(this.#connection, [queue, held, consumers, pausedSeen], args);
      const [moved, rest, now] = reply as [number, number, Buffer | null];
      // it renewed its lease after our last look
      if (moved < 0) throw new LeasesRunningError([consumer]);
      onMoved(moved);
      left = rest;
      if (!force) seen = String(now ?? '');
    }
  }
}
