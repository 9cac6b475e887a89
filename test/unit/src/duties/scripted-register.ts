import type { RecoveryQueue, Register } from '../../../../src/queue/background-queue.js';
import { RedisUnavailableError } from '../../../../src/shared/errors.js';
import type { VirtualClock } from '../../../support/virtual-clock.js';

const LEASE_MS = 13_000;
const RENEW_EVERY_MS = 4_000;

/** The register of consumers in a Redis whose clock the test steps, with workers who renew in it and hosts that observe it. */
export class ScriptedRegister {
  readonly scores = new Map<string, number>();
  /** `worker at ms`, for each lease that was taken away. */
  readonly recovered: string[] = [];
  /** Consumers whose list is no list. */
  readonly spoiled = new Set<string>();
  isUp = true;
  /** Redis answers and takes no writes. */
  refuses = false;
  readonly #clock: VirtualClock;
  readonly #alive = new Set<string>();
  #offset = 1_750_000_000_000;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  get redisNow(): number {
    return this.#clock.now() + this.#offset;
  }

  stepRedis(ms: number): void {
    this.#offset += ms;
  }

  /** Renews every 4 s from now on, as this build or as the earlier one does. */
  live(worker: string, build: 'this' | 'earlier' = 'this'): void {
    this.#alive.add(worker);
    const renew = (): void => {
      if (!this.#alive.has(worker)) return;
      const before = this.scores.get(worker) ?? 0;
      const renewed = this.redisNow + LEASE_MS;
      if (this.isUp && !this.refuses && before >= 0) {
        this.scores.set(worker, build === 'this' ? Math.max(renewed, before + 1) : renewed);
      }
      this.#clock.after(RENEW_EVERY_MS, renew);
    };
    renew();
  }

  die(worker: string): void {
    this.#alive.delete(worker);
  }

  /** What this build's observer talks to. */
  queue(): RecoveryQueue {
    return {
      isReady: () => this.isUp,
      consumers: async () => [...this.scores.keys()],
      register: async () => this.#register(),
      recover: async (consumer, why) => {
        this.#expectWritable();
        if (this.spoiled.has(consumer)) throw new RedisUnavailableError(`WRONGTYPE (recovering ${consumer})`, false);
        if ('score' in why && why.score !== String(this.scores.get(consumer))) return { recovered: 0, buried: 0 };
        return this.#take(consumer);
      },
    };
  }

  /** Observes each second by the clock of Redis. */
  observeAsEarlier(): void {
    const look = (): void => {
      for (const [consumer, score] of this.scores) if (score >= 0 && score <= this.redisNow) this.#take(consumer);
    };
    this.#clock.every(1_000, look);
  }

  #take(consumer: string): { readonly recovered: number; readonly buried: number } {
    this.recovered.push(`${consumer} at ${this.#clock.now()}`);
    this.scores.set(consumer, -this.redisNow);
    return { recovered: 1, buried: 0 };
  }

  #register(): Register {
    this.#expectWritable();
    const leases = [...this.scores].filter(([, score]) => score >= 0);
    return { leases: leases.map(([consumer, score]) => ({ consumer, score: String(score) })), late: [] };
  }

  #expectWritable(): void {
    if (!this.isUp) throw new RedisUnavailableError('the connection was lost', true);
    if (this.refuses) throw new RedisUnavailableError('NOREPLICAS Not enough good replicas to write.', false);
  }
}
