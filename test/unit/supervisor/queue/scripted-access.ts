import type { Deed } from '../../../../src/domain/audit/deed.js';
import type { PauseLook } from '../../../../src/queue/background-queue.js';
import type { QueueSizes } from '../../../../src/queue/message-queue.js';
import { RedisUnavailableError } from '../../../../src/shared/errors.js';
import type { Clock } from '../../../../src/shared/time/clock.js';
import type { Borrowed, QueueAccess, QueueSettings } from '../../../../supervisor/queue/queue-access.js';

const NO_MESSAGES: QueueSizes = {
  waiting: 0,
  processing: 0,
  retrying: 0,
  dead: 0,
  deadInbox: 0,
  oldest: undefined,
  firstRetryDueMs: undefined,
  redisNow: undefined,
};

/** Connections to a Redis that answers what the test says. */
export class ScriptedAccess implements Pick<QueueAccess, 'borrow'> {
  /** Names of the queues whose connections were borrowed, and of those that were given back. */
  readonly borrowed: string[] = [];
  readonly released: string[] = [];
  /** Consumers asked to be recovered, with the time. */
  readonly recovered: string[] = [];
  /** As they stand in the audit. */
  readonly deeds: Deed[] = [];
  isUp = true;
  /** What Redis answers to who wants the sizes, in place of them. */
  sizesRefusal: Error | undefined;
  sizes: QueueSizes = NO_MESSAGES;
  policy = 'noeviction';
  pause: PauseLook = { text: undefined, leftMs: undefined, refusal: undefined };
  consumers: readonly string[] = [];
  /** Messages that the next recovery of a consumer finds. */
  readonly held = new Map<string, number>();
  /** And those that it buries. */
  readonly poisoned = new Map<string, number>();
  /** Consumers whose recovery Redis refuses. */
  readonly refused = new Set<string>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  borrow({ queue: { name } }: QueueSettings): Borrowed {
    this.borrowed.push(name);
    return {
      queue: this.#queue() as Borrowed['queue'],
      isReady: () => this.isUp,
      whenReady: async (ms) => {
        if (!this.isUp) await this.#clock.sleep(ms);
      },
      evictionPolicy: async () => this.policy,
      audit: {
        note: async (deed) => (this.isUp ? void this.deeds.push(deed) : 'it is away'),
        list: async () => [],
      },
      release: async () => void this.released.push(name),
    };
  }

  #queue(): Pick<Borrowed['queue'], 'sizes' | 'consumers' | 'register' | 'recover' | 'lookAtPause'> {
    const whenUp = async <T>(answer: () => T): Promise<T> => {
      if (!this.isUp) throw new RedisUnavailableError('it is away', false);
      return answer();
    };
    return {
      sizes: () =>
        whenUp(() => {
          if (this.sizesRefusal) throw this.sizesRefusal;
          return this.sizes;
        }),
      lookAtPause: () => whenUp(() => this.pause),
      consumers: () => whenUp(() => [...this.consumers]),
      register: () =>
        whenUp(() => ({ leases: this.consumers.map((consumer) => ({ consumer, score: '1' })), late: [] })),
      recover: (consumer) =>
        whenUp(() => {
          if (this.refused.has(consumer)) throw new RedisUnavailableError('WRONGTYPE', false);
          this.recovered.push(`${consumer} at ${this.#clock.now()}`);
          const recovered = this.held.get(consumer) ?? 0;
          this.held.delete(consumer);
          const buried = this.poisoned.get(consumer) ?? 0;
          this.poisoned.delete(consumer);
          return { recovered, buried };
        }),
    };
  }
}
