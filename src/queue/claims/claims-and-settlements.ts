/**
 * The queue in Redis, as a worker uses it. Every change of a message's place is one Lua script in lua/, so at each instant
 * it is in exactly one of:
 *
 *   message_queue                          list   waiting, the oldest at the right end
 *   {message_queue}:processing:<consumer>  list   claimed by one incarnation of one worker, the oldest at the right end
 *   {message_queue}:retry                  zset   failed, by due time on Redis's clock (retries.ts)
 *   {message_queue}:dead:index             zset   a line for each dead letter, by time of death (domain/dead-letters/index-line.ts)
 *   {message_queue}:dead:letters           hash   first word of that line → envelope
 *   {message_queue}:untold                 zset   those of these lines of which the main server has not heard, by next try (untold.ts)
 *   {message_queue}:dead                   list   envelopes of earlier versions, until they are moved (dead-letters/inbox.ts)
 *
 *   {message_queue}:consumers              zset   consumer → its lease, which each renewal changes, or minus the time it was recovered
 *   {message_queue}:crashes                hash   sha1 of a message → process deaths it was in flight at
 *   {message_queue}:failures               hash   message id → its last failed attempts (domain/failures/failed-attempt.ts)
 *   {message_queue}:paused                 string JSON: who has paused all deliveries, why, until when (domain/pause/pause.ts)
 *   {message_queue}:paused:seen            hash   consumer → id of the pause that it keeps (pause/look.ts)
 *
 * A lost reply leaves three doubts, which `reconcile` settles: a claim in our list that we do not know of, a settlement
 * that was or was not applied, and a command of the dead connection that Redis has yet to read. The last is why
 * sessions.ts ends the former connections before the list is compared.
 */
import type { Buffer } from 'node:buffer';
import type { Allotment, FleetSeat, ShareReport } from '../../domain/flow/fleet-share.js';
import { LEASE_MS } from '../../domain/clocks/lease-watch.js';
import { RedisUnavailableError } from '../../shared/errors.js';
import type { Config } from '../../shared/config/config.js';
import type { Life } from '../../shared/life.js';
import type { Clock } from '../../shared/time/clock.js';
import type { Random } from '../../shared/time/random.js';
import { createBackgroundQueue } from '../background.js';
import { CONTROL_SILENCE_MS, RedisConnection } from '../connection/connection.js';
import { readEvictionPolicy, readFacts } from '../connection/facts.js';
import { address } from '../connection/problem.js';
import { redisKeys, type RedisKeys } from '../keys.js';
import { Lease } from '../leases/lease.js';
import type { BackgroundQueue, KeptPause, PauseLook, PauseQueue } from '../background-queue.js';
import type {
  Claim,
  Exchange,
  ExchangeRequest,
  MessageQueue,
  Reconciliation,
  RedisFacts,
  ShareQueue,
} from '../message-queue.js';
import { explained } from '../connection/script-refusal.js';
import { redisScript } from '../connection/script.js';
import { BLOCK_SECONDS, Sessions, type SessionsEvents } from '../connection/sessions.js';
import { takeShare } from '../shares.js';
import { SideBooks } from '../side-books.js';
import { ClaimSize } from './claim-size.js';
import { DIGESTED_END_BYTES, digestOf } from './claim-digest.js';
import { lookAtPause } from '../pause/look.js';
import { runExchange } from './settlement.js';

const reconcileScript = redisScript('reconcile');

interface RedisQueueOptions {
  readonly config: Pick<Config, 'redis' | 'queue'>;
  readonly workerId: string;
  readonly nonce: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Messages per second that the whole fleet claims at most, MAIN_SERVER_MAX_RATE; 0 or undefined = no limit. */
  readonly rate?: number;
  /** Told what each renewal of the lease says of the others. */
  readonly fleet: Pick<FleetSeat, 'noteConsumers'>;
  readonly events: RedisQueueEvents;
  /** Called with each exchange and before each blocking pop, which look in passing. */
  readonly onPauseSeen?: (isPaused: boolean) => void;
}

export interface RedisQueueEvents extends SessionsEvents {
  /** The lease was lost and `consumer` is the new name. */
  onLeaseLost(consumer: string): void;
}

export class RedisQueue implements MessageQueue, PauseQueue, ShareQueue, Life {
  readonly background: BackgroundQueue;
  readonly reliable: boolean;
  readonly #address: string;
  readonly #clock: Clock;
  readonly #keys: RedisKeys;
  readonly #sessions: Sessions;
  readonly #renewals: RedisConnection;
  readonly #lease: Lease;
  readonly #claimSize: ClaimSize;
  readonly #onPauseSeen: (isPaused: boolean) => void;
  readonly #rate: number | undefined;
  readonly #sideBooks: SideBooks;

  constructor(options: RedisQueueOptions) {
    const { config, workerId, nonce, clock, random, rate = 0, fleet, events, onPauseSeen = ignored } = options;
    this.#onPauseSeen = onPauseSeen;
    this.#rate = rate > 0 ? rate : undefined;
    this.#address = address(config.redis);
    this.#clock = clock;
    this.#claimSize = new ClaimSize(clock);
    this.reliable = config.queue.reliable;
    this.#keys = redisKeys(config.queue.name);
    const onDisconnected = (problem: string): void => {
      // what made the others silent has most likely made this one so
      if (this.#renewals.isReady()) this.#renewals.reconnect();
      events.onDisconnected(problem);
    };
    const sessionsEvents = { onConnected: () => events.onConnected(), onDisconnected };
    this.#sessions = new Sessions({ redis: config.redis, workerId, clock, random, events: sessionsEvents });
    const { control } = this.#sessions;
    const name = `message-broker-worker:${workerId}:lease`;
    this.#renewals = new RedisConnection({ redis: config.redis, name, silenceMs: CONTROL_SILENCE_MS, clock, random });
    const connections = { own: this.#renewals, control };
    const onLost = (consumer: string) => events.onLeaseLost(consumer);
    this.#lease = new Lease({ connections, keys: this.#keys, workerId, nonce, clock, fleet, onLost });
    const mostBytes = config.queue.sideBooksMaxBytes;
    this.#sideBooks = new SideBooks({ connection: control, keys: this.#keys, mostBytes, clock });
    this.background = createBackgroundQueue(control, this.#keys, { workerId, clock, sideBooks: this.#sideBooks });
  }

  /** Connects in the background. @throws ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  start(): void {
    this.#sessions.start();
    if (this.reliable) this.#renewals.start();
  }

  /** Settles and hands back nothing: the claims are its user's, or the recoverers'. */
  async stop(): Promise<void> {
    await Promise.all([this.#sessions.stop(), this.#renewals.stop()]);
  }

  get consumer(): string {
    return this.#lease.consumer;
  }

  isReady(): boolean {
    return this.#sessions.isReady();
  }

  whenReady(timeoutMs: number): Promise<void> {
    return this.#sessions.whenReady(timeoutMs);
  }

  /** Why Redis is not usable, as a sentence. */
  problem(): string {
    return this.#sessions.problem();
  }

  /** Asks Redis what it is. Rejects with UnusableRedisError when it is too old. */
  inspect(): Promise<RedisFacts> {
    return readFacts(this.#sessions.control, this.#address);
  }

  /** maxmemory-policy; undefined when Redis does not tell, or not this user. */
  evictionPolicy(): Promise<string | undefined> {
    return readEvictionPolicy(this.#sessions.control);
  }

  async exchange({ settlements, want, inFlight }: ExchangeRequest): Promise<Exchange> {
    const { consumer } = this;
    const stale = settlements.filter(({ claim }) => claim.consumer !== consumer);
    const own = stale.length > 0 ? settlements.filter(({ claim }) => claim.consumer === consumer) : settlements;
    const at = this.#clock.now();
    const renew = this.reliable && this.#lease.isDue(at);
    let exchange: Exchange | undefined;
    try {
      exchange = await runExchange({
        connection: this.#sessions.control,
        keys: this.#keys,
        consumer,
        leaseMs: renew ? LEASE_MS : want > 0 ? -LEASE_MS : 0,
        want,
        claimBytes: this.#claimSize.bytes,
        inFlight,
        reliable: this.reliable,
        settlements: own,
        onPauseSeen: this.#onPauseSeen,
        rate: this.#rate,
        sideBooksMayGrow: this.#sideBooks.mayGrow,
      });
    } catch (error) {
      if (want > 0 && error instanceof RedisUnavailableError && error.outcomeUnknown) this.#claimSize.noteLost();
      throw error;
    }
    if (!exchange) {
      this.#lease.takeNewName(consumer);
      return {
        claims: [],
        claimRefusal: undefined,
        lost: settlements,
        refused: [],
        solo: false,
        suspects: false,
        tokenInMs: 0,
      };
    }
    if (renew) this.#lease.noteRenewed(consumer, at);
    return stale.length > 0 ? { ...exchange, lost: [...exchange.lost, ...stale] } : exchange;
  }

  async claimBlocking(): Promise<Claim | undefined> {
    // Redis may have forgotten the consumer, and a list that nobody knows of is looked for every ten minutes only
    if (this.reliable && this.#lease.isDue(this.#clock.now())) await this.#lease.renew();
    const { consumer } = this;
    try {
      const raw = await this.#blockingPop(consumer);
      return raw ? { raw, consumer } : undefined;
    } catch (error) {
      const keys = [this.#keys.queue, this.#keys.processing(consumer)];
      throw await explained(error, this.#sessions.control, { text: '', keys });
    }
  }

  unblock(): Promise<void> {
    return this.#sessions.unblock();
  }

  async reconcile(held: readonly Claim[]): Promise<Reconciliation> {
    await this.#sessions.endAbandoned();
    if (!this.reliable) return { handedBack: 0, missing: [], lost: [] };
    const { consumer } = this;
    const own = held.filter((claim) => claim.consumer === consumer);
    const reply = await reconcileScript.run(
      this.#sessions.control,
      [this.#keys.queue, this.#keys.processing(consumer), this.#keys.consumers],
      [consumer, DIGESTED_END_BYTES, ...own.map((claim) => digestOf(claim.raw))],
    );
    const [handedBack, numbers, recovered] = reply as [number, number[], number];
    const gone = numbers.flatMap((number) => own[number - 1] ?? []);
    const former = held.filter((claim) => claim.consumer !== consumer);
    return recovered === 1
      ? { handedBack, missing: [], lost: [...gone, ...former] }
      : { handedBack, missing: gone, lost: former };
  }

  takeShare(report: ShareReport): Promise<Allotment | undefined> {
    return takeShare(this.#sessions.control, this.#keys, this.consumer, report);
  }

  async renewLease(): Promise<'kept' | 'lost'> {
    return this.reliable ? this.#lease.renew() : 'kept';
  }

  /** At the end, when nothing is renewed any more: gives the lease up if nothing is held. `isCertain`: no claim can land any more. */
  async leave(isCertain: boolean): Promise<void> {
    if (this.reliable) await this.#lease.leave(isCertain);
  }

  lookAtPause(kept?: KeptPause): Promise<PauseLook> {
    return lookAtPause(this.#lease.connection, this.#keys, this.consumer, kept);
  }

  async #blockingPop(consumer: string): Promise<Buffer | null> {
    const sessions = this.#sessions;
    const { queue, paused } = this.#keys;
    // in one pipeline with the pop: whether it is a pause is looked at apart, when there is something
    sessions.before('EXISTS', paused).then(
      (found) => this.#onPauseSeen(found === 1),
      () => undefined,
    );
    if (!this.reliable) {
      const popped = (await sessions.block('BRPOP', queue, BLOCK_SECONDS)) as [Buffer, Buffer] | null;
      return popped ? popped[1] : null;
    }
    const own = this.#keys.processing(consumer);
    const reply = sessions.hasBlmove
      ? await sessions.block('BLMOVE', queue, own, 'RIGHT', 'LEFT', BLOCK_SECONDS)
      : await sessions.block('BRPOPLPUSH', queue, own, BLOCK_SECONDS);
    return reply as Buffer | null;
  }
}

function ignored(): void {}
