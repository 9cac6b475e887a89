/**
 * The name under which a worker claims, and the lease on what it claimed.
 *
 *   leased ──renewed in time, or late and nobody minded──→ leased
 *      ├──others recovered what it held──→ another name, under which nothing is held yet
 *      └──leave(), nothing held──→ no lease
 *
 * A lease is a score in the register of consumers that changes with each renewal; it is over when it stands still
 * (domain/clocks/lease-watch.ts). exchange.lua renews it in passing.
 */
import type { FleetSeat } from '../../domain/flow/fleet-share.js';
import { LEASE_MS } from '../../domain/clocks/lease-watch.js';
import type { Clock } from '../../shared/time/clock.js';
import type { RedisConnection } from '../connection/connection.js';
import { consumerName, type RedisKeys } from '../keys.js';
import { redisScript } from '../connection/script.js';

/** An exchange renews the lease when the last renewal is older than this. */
const RENEW_WITH_EXCHANGE_MS = 1_000;

const leaseScript = redisScript('lease');
const leaveScript = redisScript('leave');

interface LeaseOptions {
  /** Renewals go over their own: a settlement of 50 MB may be under way on `control` for minutes. */
  readonly connections: { readonly own: RedisConnection; readonly control: RedisConnection };
  readonly keys: RedisKeys;
  readonly workerId: string;
  readonly nonce: string;
  readonly clock: Clock;
  readonly fleet: Pick<FleetSeat, 'noteConsumers'>;
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

  /** Over which what must not wait for large messages goes. */
  get connection(): RedisConnection {
    const { own, control } = this.#options.connections;
    // a name that leads to another server now: a renewal on the former one would keep nothing
    return own.isReady() && (!control.isReady() || own.runId === control.runId) ? own : control;
  }

  /** An exchange should renew it, and a blocking claim must not start before it is renewed. */
  isDue(now: number): boolean {
    return now - this.#renewedAt > RENEW_WITH_EXCHANGE_MS;
  }

  /** What was sent at `at` renewed the lease of `consumer`. */
  noteRenewed(consumer: string, at: number): void {
    if (consumer === this.#consumer) this.#renewedAt = at;
  }

  /** Redis said that others took what `consumer` held; it may have said so before, to another connection. */
  takeNewName(consumer: string): void {
    if (consumer !== this.#consumer) return;
    const { workerId, nonce, onLost } = this.#options;
    this.#generation += 1;
    this.#renewedAt = -Infinity;
    this.#consumer = consumerName(workerId, process.pid, `${nonce}-${this.#generation}`);
    onLost(this.#consumer);
  }

  /** Rejects with RedisUnavailableError. */
  async renew(): Promise<'kept' | 'lost'> {
    const { keys, clock, fleet } = this.#options;
    const { connection } = this;
    const consumer = this.#consumer;
    const at = clock.now();
    const living = (await leaseScript.run(connection, [keys.consumers], [consumer, LEASE_MS])) as number;
    if (living > 0) {
      fleet.noteConsumers(living);
      this.noteRenewed(consumer, at);
      return 'kept';
    }
    this.takeNewName(consumer);
    return 'lost';
  }

  /** Gives it up, if the consumer holds nothing. `isCertain`: no claim can land any more. Rejects with RedisUnavailableError. */
  async leave(isCertain: boolean): Promise<boolean> {
    const { keys } = this.#options;
    const places = [keys.consumers, keys.processing(this.#consumer), keys.pausedSeen];
    return (await leaveScript.run(this.connection, places, [this.#consumer, isCertain ? 1 : 0])) === 1;
  }
}
