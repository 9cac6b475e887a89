/**
 * The queue in Redis. With settlement.ts and recovery.ts the only code that issues queue commands; every
 * change of a message's place is one Lua script in lua/, so at each instant it is in exactly one of:
 *
 *   message_queue                          list   waiting, the oldest at the right end
 *   {message_queue}:processing:<consumer>  list   claimed by one incarnation of one worker, the oldest at the right end
 *   {message_queue}:retry                  zset   failed, by due time on Redis's clock (member: see promote.lua)
 *   {message_queue}:dead                   list   envelopes, the newest at the left end
 *
 *   {message_queue}:consumers              zset   consumer → lease expiry, or minus the time it was recovered
 *   {message_queue}:crashes                hash   sha1 of a message → process deaths it was in flight at
 *
 * A lost reply leaves three doubts, which `reconcile` settles: a claim in our list that we do not know of, a settlement
 * that was or was not applied, and a command of the dead connection that Redis has yet to read. The last is why the
 * former connections are killed by their client id before the list is compared.
 */
import type { Clock } from '../shared/time/clock.js';
import type { Config } from '../shared/config/config.js';
import { RedisUnavailableError, UnusableRedisError } from '../shared/errors.js';
import type { Claim, Exchange, ExchangeRequest, MessageQueue, Reconciliation, RedisFacts } from './message-queue.js';
import { address, RedisConnection } from './connection.js';
import { consumerName, redisKeys } from './keys.js';
import { CONTROL_SILENCE_MS, createBackgroundQueue, type BackgroundQueue } from './recovery.js';
import { redisScript } from './script.js';
import { runExchange } from './settlement.js';

/**
 * Three renewals of 4 s and one second to spare. The design's 15 s would return a dead host's messages only after 15 s
 * plus a look, and they must be back within 15 s.
 */
export const LEASE_MS = 13_000;
/** An exchange renews the lease when the last renewal is older than this. */
const RENEW_WITH_EXCHANGE_MS = 1_000;
/** A claim must not start under a lease that may run out before it lands. */
const LEASE_MARGIN_MS = 4_000;
/**
 * Shorter than the original's 5 s: a half-open connection shows after block time plus margin, and workers must consume
 * again within 2 s of a fault's end. Costs half a round trip per second at rest.
 */
const BLOCK_SECONDS = 2;
const BLOCK_MARGIN_MS = 1_000;
const UNBLOCK_AGAIN_MS = 10;
const OLDEST_REDIS = 5;

const leaseScript = redisScript('lease');
const reconcileScript = redisScript('reconcile');

export interface RedisQueueOptions {
  readonly config: Pick<Config, 'redis' | 'queue'>;
  readonly workerId: string;
  readonly nonce: string;
  readonly clock: Clock;
  readonly events: RedisQueueEvents;
}

export interface RedisQueueEvents {
  /** Both connections are usable. */
  onConnected(): void;
  /** Once per outage; `problem` is a sentence. */
  onDisconnected(problem: string): void;
  /** The lease was lost and `consumer` is the new name. */
  onLeaseLost(consumer: string): void;
}

export class RedisQueue implements MessageQueue {
  readonly #options: RedisQueueOptions;
  readonly background: BackgroundQueue;
  readonly reliable: boolean;
  readonly #keys;
  readonly #control: RedisConnection;
  readonly #blocking: RedisConnection;
  /** Client ids of lost connections whose commands Redis may still carry out. */
  readonly #abandoned: number[] = [];
  readonly #ids: { control?: number; blocking?: number } = {};
  #generation = 0;
  #name: string;
  #renewedAt = -Infinity;
  #hasBlmove = false;
  /** The ids of both connections are known: before that, `reconcile` could not end what they replaced. */
  #learned = false;
  #outage = false;
  #closed = false;
  #blocked = false;
  readonly #waiting = new Set<() => void>();

  constructor(options: RedisQueueOptions) {
    this.#options = options;
    const { config, workerId, clock } = options;
    this.reliable = config.queue.reliable;
    this.#keys = redisKeys(config.queue.name);
    this.#name = consumerName(workerId, process.pid, options.nonce);
    const connect = (role: string, silenceMs: number) =>
      new RedisConnection(
        { redis: config.redis, name: `message-broker-worker:${workerId}:${role}`, silenceMs, clock },
        { onReady: () => this.#noteReady(), onLost: (problem) => this.#noteLost(problem) },
      );
    this.#control = connect('control', CONTROL_SILENCE_MS);
    this.#blocking = connect('blocking', BLOCK_SECONDS * 1_000 + BLOCK_MARGIN_MS);
    this.background = createBackgroundQueue(this.#control, this.#keys, { workerId, clock });
  }

  get consumer(): string {
    return this.#name;
  }

  isReady(): boolean {
    return this.#learned && this.#connected();
  }

  async whenReady(timeoutMs: number): Promise<void> {
    if (this.isReady()) return;
    const arrived = new AbortController();
    const arrive = () => arrived.abort();
    this.#waiting.add(arrive);
    await this.#options.clock.sleep(timeoutMs, arrived.signal);
    this.#waiting.delete(arrive);
  }

  /** Why Redis is not usable, as a sentence. */
  problem(): string {
    const connection = this.#control.isReady() ? this.#blocking : this.#control;
    return connection.describe(connection.problem);
  }

  /** Asks Redis what it is. Rejects with UnusableRedisError when it is too old. */
  async inspect(): Promise<RedisFacts> {
    const info = String(await this.#control.call('INFO').catch(permitted(() => this.#connected(), '')));
    const version = /^(?:redis|valkey)_version:(\S+)/m.exec(info)?.[1] ?? '';
    if (version !== '' && Number.parseInt(version, 10) < OLDEST_REDIS) {
      throw new UnusableRedisError(
        `Redis at ${address(this.#options.config.redis)} is version ${version}; version ${OLDEST_REDIS}.0 or newer is needed`,
      );
    }
    return { version, evictionPolicy: /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? '' };
  }

  async exchange({ settlements, want, inFlight }: ExchangeRequest): Promise<Exchange> {
    const stale = settlements.filter((settlement) => settlement.claim.consumer !== this.#name);
    const own = stale.length > 0 ? settlements.filter((s) => s.claim.consumer === this.#name) : settlements;
    const at = this.#options.clock.now();
    const renew = this.reliable && at - this.#renewedAt > RENEW_WITH_EXCHANGE_MS;
    const exchange = await runExchange({
      connection: this.#control,
      keys: this.#keys,
      consumer: this.#name,
      leaseMs: renew ? LEASE_MS : 0,
      want,
      inFlight,
      reliable: this.reliable,
      settlements: own,
    });
    if (!exchange) {
      this.#takeNewName();
      return { claims: [], lost: settlements, refused: [], solo: false, suspects: false };
    }
    if (renew) this.#renewedAt = at;
    return stale.length > 0 ? { ...exchange, lost: [...exchange.lost, ...stale] } : exchange;
  }

  async claimBlocking(): Promise<Claim | undefined> {
    if (this.reliable && this.#options.clock.now() - this.#renewedAt > LEASE_MS - LEASE_MARGIN_MS)
      await this.renewLease();
    const consumer = this.#name;
    this.#blocked = true;
    try {
      const raw = await this.#blockingPop(consumer);
      return raw ? { raw, consumer } : undefined;
    } finally {
      this.#blocked = false;
    }
  }

  async unblock(): Promise<void> {
    // a cluster routes a command without a key to any node; there the block time ends the wait
    if (this.#control.isCluster) return;
    // the pop may not have reached Redis yet: unblocked too early it would block after all
    while (this.#blocked && this.#ids.blocking !== undefined) {
      if ((await this.#control.call('CLIENT', 'UNBLOCK', this.#ids.blocking)) === 1) return;
      await this.#options.clock.sleep(UNBLOCK_AGAIN_MS);
    }
  }

  async reconcile(held: readonly Claim[]): Promise<Reconciliation> {
    await this.#killAbandoned();
    if (!this.reliable) return { handedBack: 0, missing: [], lost: [] };
    const own = held.filter((claim) => claim.consumer === this.#name);
    const reply = await reconcileScript.run(
      this.#control,
      [this.#keys.queue, this.#keys.processing(this.#name), this.#keys.consumers],
      [this.#name, ...own.map((claim) => claim.raw)],
    );
    const [handedBack, numbers, recovered] = reply as [number, number[], number];
    const gone = numbers.flatMap((number) => own[number - 1] ?? []);
    const former = held.filter((claim) => claim.consumer !== this.#name);
    return recovered === 1
      ? { handedBack, missing: [], lost: [...gone, ...former] }
      : { handedBack, missing: gone, lost: former };
  }

  async renewLease(): Promise<'kept' | 'lost'> {
    if (!this.reliable) return 'kept';
    const at = this.#options.clock.now();
    if ((await leaseScript.run(this.#control, [this.#keys.consumers], [this.#name, LEASE_MS])) === 1) {
      this.#renewedAt = at;
      return 'kept';
    }
    this.#takeNewName();
    return 'lost';
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const done of this.#waiting) done();
    await Promise.all([this.#blocking.close(), this.#control.close()]);
  }

  async #blockingPop(consumer: string): Promise<Buffer | null> {
    const { queue } = this.#keys;
    if (!this.reliable) {
      const popped = (await this.#blocking.call('BRPOP', queue, BLOCK_SECONDS)) as [Buffer, Buffer] | null;
      return popped ? popped[1] : null;
    }
    const own = this.#keys.processing(consumer);
    const reply = this.#hasBlmove
      ? await this.#blocking.call('BLMOVE', queue, own, 'RIGHT', 'LEFT', BLOCK_SECONDS)
      : await this.#blocking.call('BRPOPLPUSH', queue, own, BLOCK_SECONDS);
    return reply as Buffer | null;
  }

  async #killAbandoned(): Promise<void> {
    while (this.#abandoned.length > 0) {
      // refused when it is gone already, or when the user may not: the next reconciliation then finds what it left
      await this.#control
        .call('CLIENT', 'KILL', 'ID', this.#abandoned[0] ?? 0)
        .catch(permitted(() => this.#connected(), 0));
      this.#abandoned.shift();
    }
  }

  #takeNewName(): void {
    this.#generation += 1;
    this.#renewedAt = -Infinity;
    this.#name = consumerName(this.#options.workerId, process.pid, `${this.#options.nonce}-${this.#generation}`);
    this.#options.events.onLeaseLost(this.#name);
  }

  #connected(): boolean {
    return this.#control.isReady() && this.#blocking.isReady();
  }

  #noteReady(): void {
    // a connection lost while we ask comes back here when it is ready again
    if (this.#connected()) this.#learn().catch(() => undefined);
  }

  /** After each connection: who we are to Redis, and which commands it knows. */
  async #learn(): Promise<void> {
    await Promise.all([this.#learnId('control', this.#control), this.#learnId('blocking', this.#blocking)]);
    const known = (await this.#control
      .call('COMMAND', 'INFO', 'BLMOVE')
      .catch(permitted(() => this.#connected(), []))) as unknown[];
    this.#hasBlmove = Array.isArray(known[0]);
    if (this.#closed || !this.#connected()) return;
    this.#learned = true;
    this.#outage = false;
    this.#options.events.onConnected();
    for (const done of this.#waiting) done();
  }

  async #learnId(role: 'control' | 'blocking', connection: RedisConnection): Promise<void> {
    const id = Number(await connection.call('CLIENT', 'ID').catch(permitted(() => this.#connected(), 0)));
    const former = this.#ids[role];
    if (former !== undefined && former !== id && !connection.isCluster) this.#abandoned.push(former);
    if (id > 0) this.#ids[role] = id;
  }

  /**
   * The first loss of an outage takes the other connection with it. What made one silent has most likely made the other so,
   * and one that is not in use shows it only when it is asked something: we would be deaf twice as long.
   */
  #noteLost(problem: string): void {
    this.#learned = false;
    if (this.#outage || this.#closed) return;
    this.#outage = true;
    for (const connection of [this.#control, this.#blocking]) if (connection.isReady()) connection.reconnect();
    this.#options.events.onDisconnected(this.#control.describe(problem));
  }
}

/** For a command that Redis may refuse without harm: a refusal gives `fallback`, a lost connection still rejects. */
function permitted<T>(isReady: () => boolean, fallback: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof RedisUnavailableError && !error.outcomeUnknown && isReady()) return fallback;
    throw error;
  };
}
