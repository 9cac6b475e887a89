/**
 * A worker's two sessions with Redis: `control`, which nothing blocks, and `blocking`, which waits for messages.
 *
 *   apart ──both connected──→ learning (who we are to Redis, which commands it knows) ──→ ready
 *     ↑                                                                                    │
 *     └───────────────────────── one is lost: told once per outage ───────────────────────┘
 *
 * The first loss of an outage takes the other connection with it. What made one silent has most likely made the other so,
 * and one that is not in use shows it only when it is asked something: we would be deaf twice as long.
 *
 * A command of a dead connection may still be read by Redis, which shows us as a client of that number. So the numbers are
 * learned, and `endAbandoned` ends the former ones.
 */
import type { Config } from '../../shared/config/config.js';
import type { Life } from '../../shared/life.js';
import type { Clock } from '../../shared/time/clock.js';
import type { Random } from '../../shared/time/random.js';
import { CONTROL_SILENCE_MS, RedisConnection, type RedisArgument } from './connection.js';
import { knowsBlmove } from './facts.js';

/**
 * Shorter than the original's 5 s: a half-open connection shows after block time plus margin, and workers must consume
 * again within 2 s of a fault's end. Costs half a round trip per second at rest.
 */
export const BLOCK_SECONDS = 2;
const BLOCK_MARGIN_MS = 1_000;
const UNBLOCK_AGAIN_MS = 10;

interface SessionsOptions {
  readonly redis: Config['redis'];
  readonly workerId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: SessionsEvents;
}

export interface SessionsEvents {
  /** Both connections are usable. */
  onConnected(): void;
  /** Once per outage; `problem` is a sentence. */
  onDisconnected(problem: string): void;
}

type Role = 'control' | 'blocking';

export class Sessions implements Life {
  readonly control: RedisConnection;
  readonly #blocking: RedisConnection;
  readonly #clock: Clock;
  readonly #events: SessionsEvents;
  /** Client ids of lost connections whose commands Redis may still carry out. */
  readonly #abandoned: number[] = [];
  readonly #ids: { [role in Role]?: number } = {};
  #hasBlmove = false;
  /** The ids of both connections are known: before that, what they replaced could not be ended. */
  #learned = false;
  #outage = false;
  #stopped = false;
  /** A command of ours waits in Redis. */
  #blocked = false;
  /** Of those who wait for both to be usable. */
  #arrival = new AbortController();

  constructor({ redis, workerId, clock, random, events }: SessionsOptions) {
    this.#clock = clock;
    this.#events = events;
    const session = (role: Role, silenceMs: number) =>
      new RedisConnection(
        { redis, name: `message-broker-worker:${workerId}:${role}`, silenceMs, clock, random },
        { onReady: () => this.#noteReady(), onLost: (problem) => this.#noteLost(problem) },
      );
    this.control = session('control', CONTROL_SILENCE_MS);
    this.#blocking = session('blocking', BLOCK_SECONDS * 1_000 + BLOCK_MARGIN_MS);
  }

  /** Connects in the background. @throws ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  start(): void {
    if (this.#stopped) return;
    this.control.start();
    this.#blocking.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#arrive();
    await Promise.all([this.#blocking.stop(), this.control.stop()]);
  }

  isReady(): boolean {
    return this.#learned && this.#connected();
  }

  /** Resolves when both connections are usable, or after `timeoutMs`. */
  async whenReady(timeoutMs: number): Promise<void> {
    if (this.isReady() || this.#stopped) return;
    await this.#clock.sleep(timeoutMs, this.#arrival.signal);
  }

  /** Why Redis is not usable, as a sentence. */
  problem(): string {
    const connection = this.control.isReady() ? this.#blocking : this.control;
    return connection.describe(connection.problem);
  }

  /** False with a Redis before 6.2. */
  get hasBlmove(): boolean {
    return this.#hasBlmove;
  }

  /** One command that waits in Redis, for BLOCK_SECONDS at most; `unblock` ends it early. */
  async block(command: string, ...args: RedisArgument[]): Promise<unknown> {
    this.#blocked = true;
    try {
      return await this.#blocking.call(command, ...args);
    } finally {
      this.#blocked = false;
    }
  }

  /** Safe when nothing waits. */
  async unblock(): Promise<void> {
    // a cluster routes a command without a key to any node; there the block time ends the wait
    if (this.control.isCluster) return;
    // the command may not have reached Redis yet: unblocked too early it would block after all
    while (this.#blocked && this.#ids.blocking !== undefined) {
      if ((await this.control.call('CLIENT', 'UNBLOCK', this.#ids.blocking)) === 1) return;
      await this.#clock.sleep(UNBLOCK_AGAIN_MS);
    }
  }

  /** Once it has resolved, no command of a former connection is carried out any more. */
  async endAbandoned(): Promise<void> {
    while (this.#abandoned.length > 0) {
      // refused when it is gone already, or when the user may not: the next reconciliation then finds what it left
      await this.control.callPermitted(0, 'CLIENT', 'KILL', 'ID', this.#abandoned[0] ?? 0);
      this.#abandoned.shift();
    }
  }

  #connected(): boolean {
    return this.control.isReady() && this.#blocking.isReady();
  }

  #noteReady(): void {
    // a connection lost while we ask comes back here when it is ready again
    if (this.#connected()) this.#learn().catch(() => undefined);
  }

  async #learn(): Promise<void> {
    await Promise.all([this.#learnId('control', this.control), this.#learnId('blocking', this.#blocking)]);
    this.#hasBlmove = await knowsBlmove(this.control);
    if (this.#stopped || !this.#connected()) return;
    this.#learned = true;
    this.#outage = false;
    this.#events.onConnected();
    this.#arrive();
  }

  async #learnId(role: Role, connection: RedisConnection): Promise<void> {
    const id = Number(await connection.callPermitted(0, 'CLIENT', 'ID'));
    const former = this.#ids[role];
    if (former !== undefined && former !== id && !connection.isCluster) this.#abandoned.push(former);
    if (id > 0) this.#ids[role] = id;
  }

  #noteLost(problem: string): void {
    this.#learned = false;
    if (this.#outage || this.#stopped) return;
    this.#outage = true;
    for (const connection of [this.control, this.#blocking]) if (connection.isReady()) connection.reconnect();
    this.#events.onDisconnected(this.control.describe(problem));
  }

  #arrive(): void {
    this.#arrival.abort();
    this.#arrival = new AbortController();
  }
}
