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
 * learned, and `endAbandoned` ends the former ones (former-clients.ts).
 */
import type { Config } from '../../shared/config/config.js';
import type { Life } from '../../shared/life.js';
import type { Clock } from '../../shared/time/clock.js';
import type { Random } from '../../shared/time/random.js';
import { CONTROL_SILENCE_MS, RedisConnection, type RedisArgument } from './connection.js';
import { knowsBlmove } from './facts.js';
import { FormerClients, isListed, type RedisClientIdentity } from './former-clients.js';

/**
 * Shorter than the original's 5 s: a half-open connection shows after block time plus margin, and workers must consume
 * again within 2 s of a fault's end. Costs half a round trip per second at rest.
 */
export const BLOCK_SECONDS = 2;
/** Redis ends a block up to 0.1 s late. Silent for longer than both together, 2.7 s, the connection is dead. */
const BLOCK_MARGIN_MS = 700;
const UNBLOCK_AGAIN_MS = 10;
const LEARN_AGAIN_MS = 500;

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
  readonly #former = new FormerClients();
  readonly #names: Readonly<Record<Role, string>>;
  /** As whom Redis knows, or last knew, each connection. */
  readonly #identities: { [role in Role]?: RedisClientIdentity } = {};
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
    const nameOf = (role: Role) => `message-broker-worker:${workerId}:${role}`;
    this.#names = { control: nameOf('control'), blocking: nameOf('blocking') };
    const session = (role: Role, silenceMs: number) =>
      new RedisConnection(
        { redis, name: this.#names[role], silenceMs, clock, random },
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

  /** One command on the way to `block`, answered before that waits; 0 where this user may not. */
  before(command: string, ...args: RedisArgument[]): Promise<unknown> {
    return this.#blocking.callPermitted(0, command, ...args);
  }

  /** Safe when nothing waits. Where it cannot be told who waits, the block time ends the wait. */
  async unblock(): Promise<void> {
    const { blocking } = this.#identities;
    if (!blocking || !(await this.#isSeen(blocking))) return;
    // the command may not have reached Redis yet: unblocked too early it would block after all
    while (this.#blocked && blocking === this.#identities.blocking && this.isReady()) {
      if ((await this.control.call('CLIENT', 'UNBLOCK', blocking.id)) === 1) return;
      await this.#clock.sleep(UNBLOCK_AGAIN_MS);
    }
  }

  /** Whether `control` speaks to the server that gave the number: on another one it is somebody else's. */
  async #isSeen(client: RedisClientIdentity): Promise<boolean> {
    // a cluster routes a command without a key to any node
    if (!this.#blocked || !this.isReady() || this.control.isCluster) return false;
    return client.runId === '' ? isListed(this.control, client) : client.runId === this.control.runId;
  }

  /** Once it has resolved, no command of a former connection is carried out any more that is provably ours. */
  endAbandoned(): Promise<void> {
    return this.#former.end(this.control);
  }

  #connected(): boolean {
    return this.control.isReady() && this.#blocking.isReady();
  }

  #noteReady(): void {
    if (this.#connected()) this.#learn().catch(() => this.#clock.after(LEARN_AGAIN_MS, () => this.#learnAgain()));
  }

  /** A connection lost while we ask is ready anew later; that of a Cluster stays ready, though one of its nodes is away. */
  #learnAgain(): void {
    if (!this.#learned && !this.#stopped) this.#noteReady();
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
    const { runId } = connection;
    const id = Number(await connection.callPermitted(0, 'CLIENT', 'ID'));
    const former = this.#identities[role];
    if (former && (former.id !== id || former.runId !== runId) && !connection.isCluster) this.#former.add(former);
    if (id > 0) this.#identities[role] = { id, runId, name: this.#names[role] };
    else delete this.#identities[role];
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
