/**
 * The name under which a worker claims, and the lease on what it claimed.
 *
 *   leased ──renewed in time, or late and nobody minded──→ leased
 *      └──others recovered what it held──→ another name, under which nothing is held yet
 *
 * A score in the set of consumers is the expiry on Redis's clock; exchange.lua renews it in passing.
 */
import type { Clock } from '../shared/time/clock.js';
import type { RedisConnection } from './connection/connection.js';
import { consumerName, type RedisKeys } from './keys.js';
import { redisScript } from './connection/script.js';

/**
 * Three renewals of 4 s and one second to spare. The design's 15 s would return a dead host's messages only after 15 s
 * plus a look, and they must be back within 15 s.
 */
export const LEASE_MS = 13_000;
/** An exchange renews the lease when the last renewal is older than this. */
const RENEW_WITH_EXCHANGE_MS = 1_000;
/** A claim must not start under a lease that may run out before it lands. */
const LEASE_MARGIN_MS = 4_000;

const leaseScript = redisScript('lease');

interface LeaseOptions {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly workerId: string;
  readonly nonce: string;
  readonly clock: Clock;
  /** `consumer` is the new name. */
  readonly onLost: (consumer: string) => void;
}

export class Lease {
  readonly #options: LeaseOptions;
  #generation = 0;
  #consumer: string;
  /** When the last renewal was sent, monotonic ms. */
  #renewedAt = -Infinity;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#consumer = consumerName(options.workerId, process.pid, options.nonce);
  }

  get consumer(): string {
    return this.#consumer;
  }

  /** An exchange should renew it. */
  isDue(now: number): boolean {
    return now - this.#renewedAt > RENEW_WITH_EXCHANGE_MS;
  }

  /** It may run out before a claim that starts now has landed. */
  isShort(now: number): boolean {
    return now - this.#renewedAt > LEASE_MS - LEASE_MARGIN_MS;
  }

  /** An exchange that was sent at `at` renewed it. */
  noteRenewed(at: number): void {
    this.#renewedAt = at;
  }

  /** Redis said that others took what the consumer held. */
  takeNewName(): void {
    const { workerId, nonce, onLost } = this.#options;
    this.#generation += 1;
    this.#renewedAt = -Infinity;
    this.#consumer = consumerName(workerId, process.pid, `${nonce}-${this.#generation}`);
    onLost(this.#consumer);
  }

  /** Rejects with RedisUnavailableError. */
  async renew(): Promise<'kept' | 'lost'> {
    const { connection, keys, clock } = this.#options;
    const at = clock.now();
    if ((await leaseScript.run(connection, [keys.consumers], [this.#consumer, LEASE_MS])) === 1) {
      this.#renewedAt = at;
      return 'kept';
    }
    this.takeNewName();
    return 'lost';
  }
}
