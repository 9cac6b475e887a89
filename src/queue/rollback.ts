/**
 * Gives everything back to workers that know only the plain list (the Python worker): claims to its right end, since they
 * were next, retries to its left end, as that worker requeues. Each step is one script, so a run may be killed and repeated.
 */
import { BrokerError, RedisUnavailableError } from '../shared/errors.js';
import type { RedisConnection } from './connection/connection.js';
import { replyCode } from './connection/reply.js';
import type { Clock } from '../shared/time/clock.js';
import type { RedisKeys } from './keys.js';
import { setAside, type Finder } from './set-aside.js';
import { redisScript } from './connection/script.js';

/** Workers hold leases: they claim and settle while we move their messages. */
export class LeasesRunningError extends BrokerError {
  constructor(readonly consumers: readonly string[]) {
    super(
      'E_LEASES_RUNNING',
      `${consumers.length} ${consumers.length === 1 ? 'worker holds a lease' : 'workers hold leases'} on the queue ` +
        `(${consumers.slice(0, 3).join(', ')}${consumers.length > 3 ? ', …' : ''}). Stop them first; leases of killed workers run out by themselves within 15 s.`,
    );
  }
}

export interface RollbackProgress {
  readonly claims: number;
  readonly retries: number;
}

export interface Rollback {
  /** Consumers whose lease runs. */
  leased(): Promise<readonly string[]>;
  /** Counts what would be moved. */
  pending(): Promise<RollbackProgress>;
  /** Rejects with LeasesRunningError, unless `force`, and with RedisUnavailableError. */
  run(run: RollbackRun): Promise<RollbackProgress>;
}

interface RollbackRun {
  readonly force: boolean;
  readonly onProgress?: (progress: RollbackProgress) => void;
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

  constructor(connection: RedisConnection, keys: RedisKeys, clock: Clock) {
    this.#connection = connection;
    this.#keys = keys;
    this.#finder = { workerId: 'rollback', clock };
  }

  async leased(): Promise<readonly string[]> {
    return (await this.#consumers()).filter((consumer) => consumer.leased).map(({ name }) => name);
  }

  async pending(): Promise<RollbackProgress> {
    let claims = 0;
    for (const { name } of await this.#consumers()) {
      // a key of another type holds no claims
      claims += (await this.#connection.callPermitted(0, 'LLEN', this.#keys.processing(name))) as number;
    }
    return { claims, retries: (await this.#connection.call('ZCARD', this.#keys.retry)) as number };
  }

  async run({ force, onProgress }: RollbackRun): Promise<RollbackProgress> {
    const holders = force ? [] : await this.leased();
    if (holders.length > 0) throw new LeasesRunningError(holders);
    const progress = { claims: 0, retries: 0 };
    const noteMoved = (kind: keyof RollbackProgress, count: number): void => {
      progress[kind] += count;
      if (count > 0) onProgress?.({ ...progress });
    };
    await this.#retries((count) => noteMoved('retries', count));
    let problem: RedisUnavailableError | undefined;
    for (const { name } of await this.#consumers()) {
      try {
        await this.#claimsOf(name, force, (count) => noteMoved('claims', count));
      } catch (error) {
        // one key of another type is no reason to keep what the others hold
        if (!(error instanceof RedisUnavailableError) || replyCode(error) !== 'WRONGTYPE') throw error;
        problem ??= error;
      }
    }
    if (problem) throw problem;
    return progress;
  }

  async #consumers(): Promise<{ readonly name: string; readonly leased: boolean }[]> {
    const [seconds, micros] = ((await this.#connection.call('TIME')) as Buffer[]).map(Number) as [number, number];
    const now = seconds * 1_000 + Math.floor(micros / 1_000);
    const scored = await this.#connection.call('ZRANGE', this.#keys.consumers, 0, -1, 'WITHSCORES');
    const reply = (scored as Buffer[]).map(String);
    return reply.flatMap((name, at) => (at % 2 === 0 ? [{ name, leased: Number(reply[at + 1]) > now }] : []));
  }

  async #retries(onMoved: (count: number) => void): Promise<void> {
    const { retry, queue } = this.#keys;
    for (let left = 1; left > 0;) {
      const reply = await retriesScript.run(this.#connection, [retry, queue], [STEP, STEP_BYTES]);
      const [moved, foreign, rest] = reply as [number, Buffer[], number];
      onMoved(moved);
      // what no worker has written is no message
      if (foreign.length > 0) await setAside(this.#connection, this.#keys, this.#finder, foreign);
      left = rest - foreign.length;
    }
  }

  async #claimsOf(consumer: string, force: boolean, onMoved: (count: number) => void): Promise<void> {
    const { queue, consumers, pausedSeen } = this.#keys;
    const held = this.#keys.processing(consumer);
    for (let left = 1; left > 0;) {
      const args = [consumer, STEP, STEP_BYTES, force ? '1' : '0'];
      const reply = await claimsScript.run(this.#connection, [queue, held, consumers, pausedSeen], args);
      const [moved, rest] = reply as [number, number];
      // it renewed its lease after our first look
      if (moved < 0) throw new LeasesRunningError([consumer]);
      onMoved(moved);
      left = rest;
    }
  }
}
